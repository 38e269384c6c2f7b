"""Predictions -> what a paper reports: figures with intervals, comparisons, curves."""

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.evaluation import drawings, files, results
from oncotrail.evaluation.baseline import baseline
from oncotrail.evaluation.evaluated import Evaluated, evaluate
from oncotrail.evaluation.folds import reported_roles
from oncotrail.evaluation.judged import JUDGES
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network


class Settings(base.Settings):
    """The sections that this stage reads."""

    cohort: Cohort
    network: dict[str, Network]
    evaluation: Evaluation


def main(settings: Settings, run: Run) -> None:
    cohort = tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    declared = only_declared(run.folder("train"), settings.network)
    trained = {network: run.folder("train", network) for network in declared}
    done = evaluate(
        run.study,
        settings.evaluation,
        fused=tables.read(tables.PREDICTIONS, run.folder("fuse") / "predictions.parquet"),
        networks=[
            tables.read(tables.PREDICTIONS, folder / "predictions.parquet")
            for folder in trained.values()
        ],
        cohort=cohort,
        split=split,
    )
    roles = reported_roles(split)
    shown = files.write_tables(done, baseline(cohort, roles, settings.cohort), run.out)
    shown += drawings.draw(done, trained.items(), run.out)
    files.write_results(done, run.results)
    for path in shown:
        run.artifact(path)
    record(done, run)


def record(done: Evaluated, run: Run) -> None:
    run.params(done.asked.flat())
    run.metrics(results.counts(done))
    for each in done.performances:
        run.reports_on(each.model, results.flat_figures(done, each))
        run.say(results.sentence(done, each, JUDGES))


if __name__ == "__main__":
    stage.run(main)
