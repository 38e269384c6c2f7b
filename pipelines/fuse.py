"""Clinical columns and embeddings -> one learner per column set, and its scores."""

import pandas as pd

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.fusion.archive import save_learner
from oncotrail.fusion.early import FusedModel, fuse
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
    fused = {
        name: fuse(
            f"{run.study}-{name}",
            asked,
            plan,
            settings.cohort,
            cohort=cohort,
            split=split,
            features=features,
            seed=settings.seed,
        )
        for name, asked in plan.models.items()
    }
    predictions = pd.concat([model.predictions for model in fused.values()], ignore_index=True)
    fitted_on = [record for model in fused.values() for record in model.fitted_on]
    tables.write(tables.PREDICTIONS, predictions, run.out / "predictions.parquet")
    tables.write(tables.FITTED_ON, tables.fitted_on_frame(fitted_on), run.out / "fitted_on.parquet")
    run.artifact(run.out / "predictions.parquet")
    run.artifact(run.out / "fitted_on.parquet")
    run.params(plan.model_copy(update={"models": {}}).flat())
    for name, model in fused.items():
        record(name, model, run)


def record(name: str, model: FusedModel, run: Run) -> None:
    folder = run.out / name
    save_learner(model.learner, model.seen, folder)
    learned = len(model.fitted_on[0].patients)
    networks = model.learner.networks
    run.params({f"{name}/networks": ", ".join(networks), f"{name}/columns": model.seen.shape[1]})
    run.metrics(
        {f"{name}/fitted_patients": learned, f"{name}/synthetic_rows": model.synthetic_rows}
    )
    for file in ("learner.skops", "columns.parquet", "model.json"):
        run.artifact(folder / file)
    run.say(
        f"{name}: {model.seen.shape[1]} columns, fitted on {learned} patients "
        f"and {model.synthetic_rows} synthetic rows"
    )


if __name__ == "__main__":
    stage.run(main)
