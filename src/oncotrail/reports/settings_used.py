"""The published settings beside those used: what the study's `demo:` block and `limits` bent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncotrail.record import RunRecord
from oncotrail.reports.cells import TIMES, Cell, Grid, plain, words
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode

COLUMNS = ("Setting", "Published", "Used here", "Bent by")
DEMO = "the study's demo block"
LIMITS = "limits in params.yaml"


@dataclass(frozen=True)
class SettingsUsed:
    """Sentences, and the table of what differs (none where nothing was bent)."""

    sentences: tuple[str, ...]
    grids: tuple[Grid, ...]


def settings_used(
    study: str,
    networks: Mapping[str, Network],
    decode: Decode,
    runs: Sequence[RunRecord],
    blueprints: Iterable[Mapping[str, Any]],
) -> SettingsUsed:
    """What was bent, in any of the runs; `blueprints` are the networks' network.json."""
    rows = [*_epochs(study, networks, runs), *_pixels(decode, blueprints)]
    rows += _rows_by_demo_block(study, runs)
    if not rows:
        return SettingsUsed(("The published settings were used; nothing was bent.",), ())
    sentence = (
        "The study file holds the published settings. These were bent, so that a small machine "
        "learns something in minutes; all others are as published."
    )
    return SettingsUsed(
        (sentence,), (Grid("Settings that differ from the published ones", COLUMNS, tuple(rows)),)
    )


def by_demo_block(records: Iterable[RunRecord]) -> dict[str, list[Any]]:
    """What the demo block changed in any run: place -> [published, used]."""
    bent: dict[str, list[Any]] = {}
    for record in records:
        bent |= record.bent
    return {place: pair for place, pair in sorted(bent.items()) if not place.startswith("limits.")}


def place_in_words(place: str, study: str) -> str:
    """A setting's place in the study file as words.

    >>> place_in_words("network.lung-t4.optimizer.learning_rate", "lung")
    'network t4: optimizer, learning rate'
    """
    section, _, rest = place.partition(".")
    entry, _, setting = rest.partition(".")
    member = "" if entry == study else " " + words(entry.removeprefix(f"{study}-"))
    return f"{section}{member}: {', '.join(words(step) for step in setting.split('.'))}"


def _rows_by_demo_block(study: str, records: Iterable[RunRecord]) -> list[tuple[Cell, ...]]:
    return [
        _row(place_in_words(place, study), plain(published), plain(used), DEMO)
        for place, (published, used) in by_demo_block(records).items()
    ]


def _epochs(
    study: str, networks: Mapping[str, Network], runs: Sequence[RunRecord]
) -> list[tuple[Cell, ...]]:
    trained = {run.name: run.params["epochs"] for run in runs if run.stage == "train"}
    return [
        _row(place_in_words(f"network.{name}.epochs", study), asked.epochs, trained[name], LIMITS)
        for name, asked in networks.items()
        if trained[name] != asked.epochs
    ]


def _pixels(decode: Decode, blueprints: Iterable[Mapping[str, Any]]) -> list[tuple[Cell, ...]]:
    """One row per view whose pictures were made smaller."""
    made = {str(b["view"]): (b["pixels"]["rows"], b["pixels"]["columns"]) for b in blueprints}
    return [
        _row(f"picture of {words(name)}, rows {TIMES} columns", _size(asked), _size(used), LIMITS)
        for name, view in decode.views.items()
        if (asked := (view.rows, view.columns)) != (used := made.get(name, asked))
    ]


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} {TIMES} {size[1]}"


def _row(name: str, published: object, used: object, by: str) -> tuple[Cell, ...]:
    return (Cell(name), Cell(plain(published)), Cell(plain(used)), Cell(by))
