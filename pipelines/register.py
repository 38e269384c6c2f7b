"""Every network and fusion as a folder that can be served, and which of them is the best."""

from oncotrail import stage
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
    catalogue.must_have_passed(run.folder("audit"))
    only_declared(run.folder("train"), settings.network)
    trained = {network: run.folder("train", network) for network in settings.network}
    figures = RunRecord.read(run.folder("evaluate") / "run.json").on_members
    entries = []
    for network, folder in trained.items():
        model = network.removeprefix(f"{run.study}-")
        made = package.package_network(run.study, model, folder, run.out / model)
        key = RunRecord.read(folder / "run.json").key
        entries.append(catalogue.entry_of(run.out / model, made, key, figures.get(network, {})))
    fused, clinical = run.folder("fuse"), settings.cohort.clinical
    for model in settings.fusion.models:
        made = package.package_fusion(
            run.study, model, fused / model, run.out / model, trained=trained, clinical=clinical
        )
        key = f"{RunRecord.read(fused / 'run.json').key}/{model}"
        named = figures.get(f"{run.study}-{model}", {})
        entries.append(catalogue.entry_of(run.out / model, made, key, named))
    models = catalogue.catalogue_of(run.study, settings.registry.best_by, entries)
    models.write(run.out)
    run.params({"best_by": models.best_by, "challenger": models.challenger})
    run.metrics(models.best.metrics)
    run.artifact(run.out / catalogue.CATALOGUE)
    run.say(models.sentence())


if __name__ == "__main__":
    stage.run(main)
