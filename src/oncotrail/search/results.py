"""What a search leaves: the settings that train reads, what they cost and gained, its trials.

settings.json    the network's settings as chosen
folds.json       those of outer folds that were searched apart, by fold; without any, {}
search.json      the settings with what changed, the split's digest, and the best of N's optimism
trials.csv       a row per trial
curves.csv       a row per trial and epoch
trials/000/      each trial's weights
fold0/           the last three of outer fold 0, if it was searched apart

train reads the first two and nothing else of here, so that it runs again only where a choice is
another.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.backbones.finished import link
from oncotrail.cohort.folds import Part
from oncotrail.errors import UserFault
from oncotrail.record import Run, generator, sha256_of
from oncotrail.search import space
from oncotrail.search.outcome import Found, TrialResult
from oncotrail.search.watching import folder_of, name_of, nested
from oncotrail.study.network import Network

if TYPE_CHECKING:
    import numpy as np

    from oncotrail.search.optimism import BestOf

SETTINGS, FOLDS, WINNER = "settings.json", "folds.json", "search.json"
TRIALS, CURVES = "trials.csv", "curves.csv"
_OF_A_FOLD = ("trials", "winner", "value", "value_as_declared", "changed", "best_of")
_DIGITS = 6


def write_declared(declared: Network, run: Run) -> None:
    """Without a search: the declared settings, and that nothing was tried."""
    settings = chosen(declared, {})
    write_json(run.out / SETTINGS, settings)
    write_json(run.out / FOLDS, {})
    write_json(run.results / in_git(run.key), {"trials": 0, "settings": settings, "changed": {}})
    run.say("no trials: the declared settings pass through")


def write_found(declared: Network, found: Mapping[int, Found], run: Run, seed: int) -> None:
    """Everything that the searches of all outer folds leave; the last fold is the one kept."""
    split = json.loads((run.folder("split") / "split.json").read_text(encoding="utf-8"))["digest"]
    whole, apart = max(found), sorted(found)[:-1]
    said = {
        fold: _said_of(declared, of, split, generator(seed, *_stream(run, fold, whole)))
        for fold, of in found.items()
    }
    write_json(run.out / SETTINGS, said[whole]["settings"])
    write_json(run.out / FOLDS, {str(fold): said[fold]["settings"] for fold in apart})
    winners = {str(fold): {name: said[fold][name] for name in _OF_A_FOLD} for fold in apart}
    for path in (run.out / WINNER, run.results / in_git(run.key)):
        write_json(path, {**said[whole], **({"folds": winners} if apart else {})})
    for fold, of in found.items():
        _write_trials(of, run, "" if fold == whole else below_of(fold))
    for name in (SETTINGS, FOLDS, WINNER, TRIALS, CURVES):
        run.artifact(run.out / name)
    run.metrics(_summary(said[whole], found[whole]))
    for fold in apart:
        figure = f"winner/{found[fold].objective}"
        run.metrics({f"{below_of(fold)}/{figure}": said[fold]["value"]})


def below_of(fold: int) -> str:
    """What the trials of an outer fold that was searched apart are named after.

    >>> below_of(0)
    'fold0'
    """
    return Part(fold).name


def _stream(run: Run, fold: int, whole: int) -> list[str]:
    """The names of the randomness that corrects a search's winner."""
    return ["tune", run.key, *([] if fold == whole else [below_of(fold)]), "best_of"]


def _said_of(
    declared: Network, found: Found, split: str, randomness: np.random.Generator
) -> dict[str, Any]:
    from oncotrail.search.optimism import best_of

    return winner_said(declared, found, split, best_of(found, randomness))


def _write_trials(found: Found, run: Run, below: str) -> None:
    """The tables and files of one search, and a nested run per trial."""
    (run.out / below).mkdir(exist_ok=True)
    write_tables(run.out / below, found)
    placed = link_files(run.out, found.trials, below)
    for trial in found.trials:
        artifacts = placed[trial.number]
        run.nested(name_of(trial.number, below), nested(trial, below, artifacts))


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


def link_files(
    folder: Path, trials: Iterable[TrialResult], below: str = ""
) -> dict[int, dict[str, str]]:
    """Each trial's files in `folder`, as hard links; their places and digests, by trial."""
    placed: dict[int, dict[str, str]] = {}
    for trial in trials:
        own = folder_of(trial.number, below)
        (folder / own).mkdir(parents=True, exist_ok=True)
        for name in trial.files:
            _link(trial.folder / name, folder / own / name)
        placed[trial.number] = {
            f"{own}/{name}": sha256_of(folder / own / name) for name in trial.files
        }
    return placed


def _link(source: Path, target: Path) -> None:
    if not source.is_file():
        message = (
            f"{source} is missing, and the search's database says that its trial ended well; "
            "remove the folder above `trials` (and the search in its database) and search again."
        )
        raise UserFault(message)
    link(source, target)


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
