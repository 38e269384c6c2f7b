"""Train: one network learns from its patients, and says what it thinks of all of them."""

from oncotrail import compute, stage
from oncotrail.backbones import loop, material, plan, results, weights
from oncotrail.backbones.progress import watched
from oncotrail.cohort import tables
from oncotrail.record import Run, generator
from oncotrail.study import base
from oncotrail.study.cohort import Cohort


class Limits(base.Settings):
    """Caps on training; null is no cap."""

    epochs: int | None


class Compute(base.Settings):
    """Where training runs."""

    threads: int
    precision: compute.Precision


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
    learns, chooses = given.learns(), given.chooses()
    seed = int(generator(settings.seed, "train", run.key).integers(2**62))
    recipe = plan.recipe(chosen, settings.limits.epochs, seed)
    network = plan.begin(chosen, learns.pixels, seed, settings.compute.precision)
    run.params(plan.said(chosen, recipe, network, len(learns.patients)))
    with watched(run, recipe.epochs) as on_epoch:
        trained = loop.train(network, learns, chooses, recipe, on_epoch)
    blueprint = plan.blueprint(chosen, run.key, decoded.made, network)
    weights.save_network(network, blueprint, run.out)
    scored = weights.load_network(run.out).score(given.pixels)  # as serving will
    results.write_scored(run.out, blueprint, given.images, scored, settings.seed)
    fitted = results.fitted_objects(blueprint, trained, learns, chooses)
    results.write_learned(run.out, trained, fitted)
    for name in results.SHOWN:
        run.artifact(run.out / name)
    run.metrics(results.summary(trained, network.parameter_count()))


if __name__ == "__main__":
    stage.run(main)
