"""Train: one network learns from its patients, and says what it thinks of all of them."""

from oncotrail import compute, stage
from oncotrail.backbones import material, parts, plan, results
from oncotrail.cohort import tables
from oncotrail.cohort.folds import parts_of
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute


class Limits(base.Settings):
    """Caps on training; null is no cap."""

    epochs: int | None


class Settings(base.Settings):
    """What train reads, besides the settings that tune chose."""

    seed: int
    compute: Compute
    limits: Limits
    cohort: Cohort


def main(settings: Settings, run: Run) -> None:
    compute.use_threads(settings.compute.threads)
    tuned = run.folder("tune", run.key)
    asked = plan.read_settings(tuned)
    cohort = tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    given = parts.Given(
        model=run.key,
        tuned=tuned,
        pretrained=run.folder("pretrain"),
        decoded=material.read_view(run.folder("decode"), asked.view),
        cohort=cohort,
        split=split,
        compute=settings.compute,
        most_epochs=settings.limits.epochs,
        seed=settings.seed,
        out_of_fold=asked.out_of_fold,
    )
    wanted = parts_of(split, seeds=asked.seeds, out_of_fold=asked.out_of_fold)
    parts.train_parts(given, wanted, run)
    for name in results.SHOWN:
        if (run.out / name).is_file():
            run.artifact(run.out / name)


if __name__ == "__main__":
    stage.run(main)
