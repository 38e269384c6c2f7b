"""The published settings beside those used: what the study's `demo:` block and `limits` bent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncotrail.record import RunRecord
from oncotrail.reports.cells import TIMES, Cell, Grid, plain, words
from oncotrail.reports.provenance import demo_cohort
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
    rows = [*_capped(study, networks, runs), *_pixels(decode, blueprints)]
    rows += _rows_by_demo_block(study, runs)
    drawn = _patients_drawn(runs)
    but = ", but for the number of patients" if drawn else ""
    if not rows:
        return SettingsUsed((f"All settings are as published{but}.", *drawn), ())
    sentence = (
        "The study file holds the published settings. These were bent, so that a small machine "
        f"learns something in minutes; all others are as published{but}."
    )
    grid = Grid("Settings that differ from the published ones", COLUMNS, tuple(rows))
    return SettingsUsed((sentence, *drawn), (grid,))


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


def _capped(
    study: str, networks: Mapping[str, Network], runs: Sequence[RunRecord]
) -> Iterator[tuple[Cell, ...]]:
    """The epochs of each network, and the trials of the search before them."""
    done = {(run.stage, run.name): run.params for run in runs}
    for name, network in networks.items():
        for setting, asked, used in (
            ("epochs", network.epochs, done["train", name]["epochs"]),
            ("search.trials", network.search.trials, done["tune", name]["trials"]),
        ):
            if asked != used:
                yield _row(place_in_words(f"network.{name}.{setting}", study), asked, used, LIMITS)


def _patients_drawn(runs: Iterable[RunRecord]) -> tuple[str, ...]:
    """How many patients a demo has, and who said so: its own run is not read here."""
    return tuple(
        f"The demo cohort has {run.metrics['patients_found']:.0f} patients: as many as "
        "limits.patients in params.yaml or, without that limit, demo_cohort in the study file says."
        for run in runs
        if run.stage == "acquire" and run.recipe == "demo" and demo_cohort([run])
    )


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
