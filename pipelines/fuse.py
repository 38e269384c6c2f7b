"""Clinical columns and embeddings -> one learner per column set, and its scores."""

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.fusion.early import Material, fuse
from oncotrail.fusion.files import figures, write_fused
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
    plan = settings.fusion
    cohort = tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    features = {
        network: tables.read(tables.FEATURES, run.folder("train", network) / "features.parquet")
        for network in only_declared(run.folder("train"), settings.network)
    }
    given = Material(settings.cohort, cohort, split, features)
    fused = {}
    for name, asked in plan.models.items():
        model = fuse(f"{run.study}-{name}", asked, plan, given, settings.seed)
        run.say(
            f"{name}: {model.seen.shape[1]} columns, fitted on {model.fitted_patients} patients "
            f"and {model.synthetic_rows} synthetic rows"
        )
        fused[name] = model
    for path in write_fused(fused, run.out):
        run.artifact(path)
    run.params(plan.flat())
    run.metrics(figures(fused))


if __name__ == "__main__":
    stage.run(main)
