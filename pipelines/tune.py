"""Tune: choose the settings that train reads; with no trials, the declared ones pass through."""

from oncotrail import stage
from oncotrail.record import Run
from oncotrail.search import results
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network


class Limits(base.Settings):
    """Caps on the search; null is no cap."""

    trials: int | None
    epochs: int | None


class Settings(base.Settings):
    """What tune reads."""

    seed: int
    compute: Compute
    limits: Limits
    cohort: Cohort
    network: Network


def main(settings: Settings, run: Run) -> None:
    asked, limit = settings.network.search, settings.limits.trials
    trials = asked.trials if limit is None else min(asked.trials, limit)
    run.params({**settings.network.flat(), "trials": trials})
    if trials == 0:
        results.write_declared(settings.network, run)
        return
    from oncotrail.figures import search as drawn
    from oncotrail.figures.drawing import save
    from oncotrail.search import network
    from oncotrail.search.watching import Watched

    tasks = network.tasks_of(
        *(settings.network, settings.cohort, run),
        trials=trials,
        most_epochs=settings.limits.epochs,
        compute=settings.compute,
        seed=settings.seed,
    )
    found = {}
    for fold, task in tasks.items():
        where = network.Where.of(run.work, run.key, task.key(run.dependencies))
        below = "" if fold == max(tasks) else results.below_of(fold)
        found[fold] = network.search_network(task, where, Watched(run, asked.objective, below))
    results.write_found(settings.network, found, run, settings.seed)
    for name, figure in drawn.figures_of(found[max(found)]).items():
        save(figure, run.out / name)
        run.artifact(run.out / name)


if __name__ == "__main__":
    stage.run(main)
