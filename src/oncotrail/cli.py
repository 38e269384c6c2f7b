"""oncotrail ...: what a person types. Says what the commands return, and sets the exit code.

Exit codes: 0 well, 1 our fault or a result that differs, 2 something that the user can mend,
130 Ctrl-C. Only the light imports are up here: `oncotrail --help` must not wait for pandas.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from oncotrail.commands.reproduce import Reproduced

app = typer.Typer(
    help="Oncology-imaging studies as tracked pipelines that prove their numbers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Study = Annotated[str, typer.Argument(help="The study's name, as its file in studies/.")]


@app.callback()
def options(
    *,
    debug: Annotated[bool, typer.Option(help="Show tracebacks, the stages' too.")] = False,
) -> None:
    """Take what holds for all commands."""
    if debug:
        os.environ["ONCOTRAIL_DEBUG"] = "1"


@app.command()
def repro(
    study: Annotated[str | None, typer.Option(help="Only this study.")] = None,
    recipe: Annotated[
        Literal["demo", "published"] | None,
        typer.Option(help="Write this recipe into params.yaml first."),
    ] = None,
) -> None:
    """Run what is out of date, show the models, compare the result with the one in git."""
    _do("repro", lambda: _repro(study, recipe))


@app.command()
def tune(
    study: Study,
    network: Annotated[str, typer.Argument(help="One of its networks, without the study's name.")],
    trials: Annotated[
        int, typer.Option(min=0, help="In all, those of earlier searches among them.")
    ],
    workers: Annotated[
        int, typer.Option(min=1, help="Trials at a time; 1 repeats to the bit.")
    ] = 1,
) -> None:
    """Search a network's settings: write the trials into the study file, and run its stage."""
    _do("tune", lambda: _tune(study, network, trials, workers))


@app.command()
def verify(
    study: Annotated[str | None, typer.Option(help="Only this study.")] = None,
) -> None:
    """Compare results/ with what git holds, figure by figure."""

    def work() -> int:
        from oncotrail.study.file import read_studies

        return _verify(_chosen(list(read_studies(Path.cwd())), study))

    _do("verify", work)


@app.command()
def validate() -> None:
    """Check params.yaml, dvc.yaml and all study files, whole and against each other."""

    def work() -> int:
        from oncotrail.study.file import read_studies

        names = ", ".join(read_studies(Path.cwd()))
        print(f"params.yaml, dvc.yaml and the study files are in order: {names}.")
        return 0

    _do("validate", work)


@app.command()
def check(study: Study) -> None:
    """Look a study's raw cohort over: every problem at once, with the row and the mend."""

    def work() -> int:
        from oncotrail.commands.check import check_cohort

        check_cohort(Path.cwd(), study)
        return 0

    _do("check", work)


@app.command()
def sync() -> None:
    """Make MLflow say what the files say: after a pull, or a cache hit."""

    def work() -> int:
        from oncotrail.tracking import sync

        print(f"sync: {sync.sync(Path.cwd())}")
        return 0

    _do("sync", work)


@app.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="Keep what was used within so many.")] = 7,
    gib: Annotated[float, typer.Option(min=0, help="But of each kind no more than this.")] = 20,
) -> None:
    """Give back the space of work in progress that nothing needs any more."""

    def work() -> int:
        from oncotrail.commands.prune import prune
        from oncotrail.commands.prune_bounds import Bounds

        for line in prune(Path.cwd(), Bounds(days, gib)):
            print(f"prune: {line}", flush=True)
        return 0

    _do("prune", work)


@app.command()
def ui(
    port: Annotated[int | None, typer.Option(help="The first free one from 5000 on.")] = None,
) -> None:
    """Serve MLflow's pages on 127.0.0.1 over this repository's store."""

    def work() -> int:
        from oncotrail.commands.ui import ui

        return ui(Path.cwd(), port, lambda line: print(line, flush=True))

    _do("ui", work)


@app.command()
def doctor(
    *,
    tune_device: Annotated[
        bool,
        typer.Option(help="Time each network's training in every precision and layout; minutes."),
    ] = False,
) -> None:
    """Look this machine over; with --tune-device, write what is fastest into params.yaml."""

    def work() -> int:
        from oncotrail.commands import doctor

        print(doctor.devices())
        if tune_device:
            diff = doctor.tune_device(Path.cwd(), lambda line: print(line, flush=True))
            print(diff or "params.yaml says so already.")
        return 0

    _do("doctor", work)


def main() -> None:
    """Enter here: the `oncotrail` program."""
    app()


def _repro(study: str | None, recipe: str | None) -> int:
    from oncotrail.commands import reproduce
    from oncotrail.commands.summary import summary
    from oncotrail.study.file import read_studies

    root = Path.cwd()
    if recipe and reproduce.choose_recipe(root, recipe):
        print(f"params.yaml now says recipe: {recipe}; dvc and the next make repro follow it too.")
    studies = _chosen(list(read_studies(root)), study)
    _print(reproduce.remove_undeclared(root))
    outcome = reproduce.reproduce(root, study, debug=_debug())
    if outcome.exit_code:
        print(_stopped(outcome))
        return outcome.exit_code
    _print(line for name in studies for line in summary(root, name))
    print(_ran(outcome.stages_run))
    code = _verify(studies)
    print("next: make ui (the runs in MLflow), or . .venv/bin/activate, then dvc metrics diff")
    return code


def _tune(study: str, network: str, trials: int, workers: int) -> int:
    from oncotrail.commands import tune

    root, key = Path.cwd(), f"{study}-{network}"
    _print(tune.ask_for(root, study, network, trials))
    outcome = tune.search(root, key, workers, debug=_debug())
    if outcome.exit_code:
        print(_stopped(outcome))
        return outcome.exit_code
    print(tune.told(root, study, key))
    print(
        "next: make repro (where the choice is new, what follows runs again), make ui (the trials)"
    )
    return 0


def _verify(studies: list[str]) -> int:
    from oncotrail.commands.verify import verify

    verification = verify(Path.cwd(), studies)
    _print(verification.lines())
    verification.judge()
    return 0


def _chosen(studies: list[str], study: str | None) -> list[str]:
    from oncotrail.errors import StudyFileError
    from oncotrail.study.base import nearest

    if study is not None and study not in studies:
        message = f"there is no study {study!r}. {nearest(study, studies)}"
        raise StudyFileError(message)
    return studies if study is None else [study]


def _stopped(outcome: Reproduced) -> str:
    if outcome.failed is None:
        return "repro: dvc stopped; it says why above."
    if outcome.signal is not None:
        return (
            f"repro: {outcome.failed} was killed by signal {outcome.signal} (9 is often a lack of "
            "memory); nothing was left half-written. Run make repro to go on."
        )
    return f"repro: stopped at {outcome.failed}, which says why above; what was finished is kept."


def _ran(stages: int) -> str:
    if stages == 0:
        return "repro: nothing to do: every output is up to date."
    return f"repro: {stages} stages run."


def _debug() -> bool:
    return os.environ.get("ONCOTRAIL_DEBUG") == "1"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _do(name: str, work: Callable[[], int]) -> NoReturn:
    """Run a command; a foreseen fault becomes one sentence and an exit code."""
    from oncotrail.stage import guarded

    codes: list[int] = []
    failed = guarded(lambda: codes.append(work()), name, debug=_debug())
    raise typer.Exit(failed or codes[0])


if __name__ == "__main__":
    main()
