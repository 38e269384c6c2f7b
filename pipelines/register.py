"""Every network and fusion as a folder that can be served, and which of them is the best."""

from oncotrail import stage
from oncotrail.errors import AuditFailed
from oncotrail.record import Run, RunRecord
from oncotrail.serving import catalogue, package
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.fusion import Fusion
from oncotrail.study.guards import Registry
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network


class Settings(base.Settings):
    """What register reads."""

    cohort: Cohort
    network: dict[str, Network]
    fusion: Fusion
    registry: Registry


def main(settings: Settings, run: Run) -> None:
    if not (run.folder("audit") / "audit.json").is_file():
        message = "the study has not passed its audit; run make repro, and mend what it names."
        raise AuditFailed(message)
    trained = {
        network: run.folder("train", network)
        for network in only_declared(run.folder("train"), settings.network)
    }
    fused = RunRecord.read(run.folder("fuse") / "run.json")
    figures = figures_by_model(run)
    entries = []
    for network, folder in trained.items():
        model = network.removeprefix(f"{run.study}-")
        made = package.package_network(run.study, model, folder, run.out / model)
        key = RunRecord.read(folder / "run.json").key
        entries.append(catalogue.entry_of(run.out / model, made, key, figures.get(model, {})))
    for model in settings.fusion.models:
        made = package.package_fusion(
            run.study,
            model,
            run.folder("fuse") / model,
            run.out / model,
            trained=trained,
            clinical=settings.cohort.clinical,
        )
        key = f"{fused.key}/{model}"
        entries.append(catalogue.entry_of(run.out / model, made, key, figures.get(model, {})))
    models = catalogue.catalogue_of(run.study, settings.registry.best_by, entries)
    models.write(run.out)
    record(models, run)


def figures_by_model(run: Run) -> dict[str, dict[str, float]]:
    """What evaluate says of each model, by the model's name without the study's."""
    evaluated = RunRecord.read(run.folder("evaluate") / "run.json").on_members
    return {name.removeprefix(f"{run.study}-"): values for name, values in evaluated.items()}


def record(models: catalogue.Catalogue, run: Run) -> None:
    run.params({"best_by": models.best_by, "challenger": models.challenger})
    best = next(entry for entry in models.models if entry.model == models.challenger)
    run.metrics(best.metrics)
    run.artifact(run.out / catalogue.CATALOGUE)
    run.say(
        f"{len(models.models)} models; the best by {models.best_by} is {models.challenger} "
        f"({best.metrics[models.best_by]:.3f})"
    )


if __name__ == "__main__":
    stage.run(main)
