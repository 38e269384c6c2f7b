"""Train: one network learns from its patients, and says what it thinks of all of them."""

from oncotrail import compute, stage
from oncotrail.backbones import learning, material, plan, results, weights
from oncotrail.cohort import tables
from oncotrail.record import Run, generator
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
    chosen = plan.read_settings(run.folder("tune", run.key) / "settings.json")
    cohort = tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    decoded = material.read_view(run.folder("decode"), chosen.view)
    given = material.gather(decoded, cohort, split, chosen.outcome)
    images = learning.Images(given.learns(), given.chooses())
    seed = int(generator(settings.seed, "train", run.key).integers(2**62))
    recipe = plan.recipe(chosen, settings.limits.epochs, seed)
    machine = plan.machine(chosen, settings.compute)
    pretrained = run.folder("pretrain")
    begun = plan.begin(chosen, images.learns.inputs, seed, machine.precision, pretrained)
    network = begun.network
    run.params(plan.said(chosen, recipe, machine, len(images.learns.patients), begun.source))
    learnt = learning.learn(chosen, network, images, recipe, run, compute=settings.compute)
    blueprint = plan.blueprint(chosen, run.key, decoded.made, network, begun.source)
    weights.save_network(network, blueprint, run.out, learnt.estimated, learnt.pooling)
    saved, store = weights.load_network(run.out), run.work / learning.STORE
    scored = learning.scored_by(chosen, saved, given.pixels, machine, store)
    results.write_scored(run.out, saved, given.images, scored, settings.seed)
    fitted = results.fitted_objects(saved.blueprint, learnt.trained, images.learns, images.chooses)
    results.write_learned(run.out, learnt.trained, fitted)
    for name in results.SHOWN:
        if (run.out / name).is_file():
            run.artifact(run.out / name)
    run.metrics(results.summary(learnt.trained, network.parameter_count()))


if __name__ == "__main__":
    stage.run(main)
