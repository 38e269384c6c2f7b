"""Clinical columns, embeddings and scores -> a learner per column set and fold, and its scores."""

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.fusion.early import Material
from oncotrail.fusion.files import figures, sentences, write_fused
from oncotrail.fusion.folds import fuse_folds, learns_from_all, read_by_score
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.fusion import Fusion
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network


class Settings(base.Settings):
    """The sections that this stage reads."""

    seed: int
    cohort: Cohort
    network: dict[str, Network]
    fusion: Fusion


def main(settings: Settings, run: Run) -> None:
    plan, given = settings.fusion, material(settings, run)
    fused = {
        name: fuse_folds(f"{run.study}-{name}", asked, plan, given, settings.seed)
        for name, asked in plan.models.items()
    }
    for line in sentences(fused):
        run.say(line)
    for path in write_fused(fused, run.out):
        run.artifact(path)
    run.params(plan.flat())
    run.metrics(figures(fused))


def material(settings: Settings, run: Run) -> Material:
    declared = only_declared(run.folder("train"), settings.network)
    trained = {network: run.folder("train", network) for network in declared}
    out_of_fold = learns_from_all(settings.fusion, settings.network)
    return Material(
        declared=settings.cohort,
        cohort=tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet"),
        split=tables.read(tables.SPLIT, run.folder("split") / "split.parquet"),
        features={
            network: tables.read(tables.FEATURES, folder / "features.parquet")
            for network, folder in trained.items()
        },
        predictions={
            network: tables.read(tables.PREDICTIONS, trained[network] / "predictions.parquet")
            for network in read_by_score(settings.fusion)
        },
        out_of_fold=out_of_fold,
    )


if __name__ == "__main__":
    stage.run(main)
