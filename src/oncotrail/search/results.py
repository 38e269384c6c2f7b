"""What a search leaves: the settings that train reads, what they cost and gained, its trials.

settings.json    the network's settings as chosen; train reads these and nothing else of here,
                 so that it runs again only where the choice is another
search.json      the same with what changed, the split's digest, and the best of N's optimism
trials.csv       a row per trial
curves.csv       a row per trial and epoch
trials/000/      each trial's weights
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.errors import UserFault
from oncotrail.record import Run, generator, sha256_of
from oncotrail.search import space
from oncotrail.search.outcome import Found, TrialResult
from oncotrail.search.watching import folder_of, name_of, nested
from oncotrail.study.network import Network

if TYPE_CHECKING:
    from oncotrail.search.optimism import BestOf

SETTINGS, WINNER, TRIALS, CURVES = "settings.json", "search.json", "trials.csv", "curves.csv"
_DIGITS = 6


def write_declared(declared: Network, run: Run) -> None:
    """Without a search: the declared settings, and that nothing was tried."""
    settings = chosen(declared, {})
    write_json(run.out / SETTINGS, settings)
    write_json(run.results / in_git(run.key), {"trials": 0, "settings": settings, "changed": {}})
    run.say("no trials: the declared settings pass through")


def write_found(declared: Network, found: Found, run: Run, seed: int) -> None:
    """Everything that a search leaves, on disk and in the stage's record."""
    from oncotrail.search.optimism import best_of

    split = json.loads((run.folder("split") / "split.json").read_text(encoding="utf-8"))
    luck = best_of(found, generator(seed, "tune", run.key, "best_of"))
    said = winner_said(declared, found, split["digest"], luck)
    write_json(run.out / SETTINGS, said["settings"])
    for path in (run.out / WINNER, run.results / in_git(run.key)):
        write_json(path, said)
    write_tables(run.out, found)
    placed = link_files(run.out, found.trials)
    for trial in found.trials:
        run.nested(name_of(trial.number), nested(trial, placed[trial.number]))
    for name in (SETTINGS, WINNER, TRIALS, CURVES):
        run.artifact(run.out / name)
    run.metrics(_summary(said, found))


def in_git(model: str) -> str:
    """The name of the search's small file below results/<study>/."""
    return f"search-{model}.json"


def _summary(said: Mapping[str, Any], found: Found) -> dict[str, float]:
    luck = said["best_of"] or {}
    figures = {
        "winner": found.winner.number,
        f"winner/{found.objective}": said["value"],
        f"declared/{found.objective}": said["value_as_declared"],
        "best_of/optimism": luck.get("optimism"),
        "best_of/corrected": luck.get("corrected"),
        **{f"trials/{state}": len(found.of(state)) for state in ("complete", "pruned", "failed")},
        **{f"importance/{name}": share for name, share in found.importance.items()},
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


def chosen(declared: Network, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The declared settings with these in their places, for train."""
    settings = Network.read(
        space.applied(declared.model_dump(mode="json"), parameters), "the chosen settings"
    )
    return {**settings.model_dump(mode="json"), "search": {"trials": 0}}


def winner_said(declared: Network, found: Found, split: str, luck: BestOf | None) -> dict[str, Any]:
    """search.json: the choice, and what there is to know about it."""
    winner, first = found.winner, found.trials[0]
    return {
        "objective": found.objective,
        "trials": len(found.trials),
        "winner": winner.number,
        "value": _rounded(winner.value),
        "value_as_declared": _rounded(first.value) if first.state == "complete" else None,
        "settings": chosen(declared, winner.parameters),
        "changed": {
            name: [first.parameters[name], value]
            for name, value in winner.parameters.items()
            if first.parameters[name] != value
        },
        "split": split,
        "best_of": None if luck is None else {k: _rounded(v) for k, v in asdict(luck).items()},
        "importance": {name: _rounded(share) for name, share in found.importance.items()},
    }


def write_json(path: Path, said: Mapping[str, Any]) -> None:
    """The same words, the same bytes."""
    path.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_tables(folder: Path, found: Found) -> None:
    """trials.csv and curves.csv."""
    settings = list(found.trials[0].parameters)
    figures = list(dict.fromkeys(name for trial in found.trials for name in trial.figures))
    _write_table(
        folder / TRIALS,
        ["trial", "state", "value", *settings, *figures, "reason"],
        ([*_row(trial, settings, figures)] for trial in found.trials),
    )
    curves = list(dict.fromkeys(name for trial in found.trials for name in trial.curves))
    rows = ([t.number, e, *values] for t in found.trials for e, values in _epochs(t, curves))
    _write_table(folder / CURVES, ["trial", "epoch", *curves], rows)


def link_files(folder: Path, trials: Iterable[TrialResult]) -> dict[int, dict[str, str]]:
    """Each trial's files below `folder`, as hard links; their places and digests, by trial."""
    placed: dict[int, dict[str, str]] = {}
    for trial in trials:
        below = folder_of(trial.number)
        (folder / below).mkdir(parents=True, exist_ok=True)
        for name in trial.files:
            _link(trial.folder / name, folder / below / name)
        placed[trial.number] = {
            f"{below}/{name}": sha256_of(folder / below / name) for name in trial.files
        }
    return placed


def _link(source: Path, target: Path) -> None:
    if not source.is_file():
        message = (
            f"{source} is missing, and the search's database says that its trial ended well; "
            "remove the folder above `trials` (and the search in its database) and search again."
        )
        raise UserFault(message)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copyfile(source, target)


def _row(trial: TrialResult, settings: Sequence[str], figures: Sequence[str]) -> list[Any]:
    tried = [trial.parameters[name] for name in settings]
    words = [json.dumps(value) if isinstance(value, list) else value for value in tried]
    said = [trial.figures.get(name) for name in figures]
    return [trial.number, trial.state, trial.value, *words, *said, trial.reason]


def _epochs(trial: TrialResult, names: Sequence[str]) -> Iterable[tuple[float, list[Any]]]:
    by_epoch: dict[float, dict[str, float]] = {}
    for name, points in trial.curves.items():
        for epoch, value in points:
            by_epoch.setdefault(epoch, {})[name] = value
    return ((epoch, [by_epoch[epoch].get(n) for n in names]) for epoch in sorted(by_epoch))


def _write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _rounded(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value
