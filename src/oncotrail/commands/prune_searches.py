"""What searches keep below .oncotrail/search, and which of it can go.

    <model>.lock                   who searches this network now
    <model>/<key>/study.db         the trials, unless a PostgreSQL has them
    <model>/<key>/trials/0000/     a trial's weights; its checkpoints while it is trained

A search is removed whole, from the database too: one that knew a trial whose weights are gone could
not be gone on with.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oncotrail.commands import prune_present
from oncotrail.commands.prune_bounds import Bounds, Leftover, doomed, size_of
from oncotrail.errors import StageBusy, UserFault
from oncotrail.search import ledger
from oncotrail.search.lock import held
from oncotrail.search.network import FOLDER, lock_of
from oncotrail.search.reading import CHECKPOINTS, TRIALS, trial_folder
from oncotrail.search.storage import ADDRESS, DATABASE, Place, forget, starts_of
from oncotrail.stage import WORK


@dataclass(frozen=True)
class Kept:
    """One search's folder."""

    model: str
    folder: Path

    @property
    def place(self) -> Place:
        """Where its trials are; refused where that is a database that nobody names."""
        place = Place.of(self.folder, f"{self.model}/{self.folder.name}")
        if (self.folder / DATABASE).is_file():
            return Place(place.folder, place.name)
        if not place.address:
            message = (
                f"its trials are in a PostgreSQL that {ADDRESS} does not name; set it, or remove "
                "the folder and the search in that database by hand."
            )
            raise UserFault(message)
        return place


@dataclass(frozen=True)
class Judged:
    """All searches, and what the present settings ask for of each network's."""

    searches: Sequence[Kept]
    asked: Mapping[str, prune_present.Asked]  # by model

    def abandoned(self) -> list[Kept]:
        """Those that no network asks for; where that cannot be told, none."""
        return [
            search
            for search in self.searches
            if not self.asked[search.model].untold
            and search.folder.name not in self.asked[search.model].keys
        ]


def judged(root: Path) -> Judged:
    """Every search below .oncotrail, beside what is asked for as things stand."""
    models = [path for path in sorted((root / WORK / FOLDER).glob("*")) if path.is_dir()]
    searches = [
        Kept(model.name, folder.parent)
        for model in models
        for folder in sorted(model.rglob(TRIALS))
    ]
    asked = {model.name: prune_present.search_keys(root, model.name) for model in models}
    return Judged(searches, asked)


def prune(root: Path, found: Judged, running: Sequence[str], bounds: Bounds) -> Iterator[str]:
    """Remove abandoned searches, and of the others the checkpoints of trials that are over."""
    for model, asked in found.asked.items():
        yield from (f"searches of {model} stay: {reason}" for reason in asked.untold)
    idle = [search for search in found.searches if f"tune@{search.model}" not in running]
    abandoned = {search.folder: search for search in found.abandoned() if search in idle}
    gone = [abandoned[leftover.path] for leftover in doomed(map(Leftover.at, abandoned), bounds)]
    yield from _each(root, gone, "searches", _remove)
    rest = [search for search in idle if search not in gone]
    yield from _each(root, rest, "searches' checkpoints of trials that are over", _tidy)


def _each(
    root: Path, searches: Iterable[Kept], what: str, act: Callable[[Kept], list[Leftover]]
) -> Iterator[str]:
    """Do it to each search that nobody carries out; say what that gave back, or why not."""
    removed: list[Leftover] = []
    for search in searches:
        try:
            with held(lock_of(root / WORK, search.model), search.model):
                removed += act(search)
        except (StageBusy, UserFault) as fault:
            yield f"{search.folder.relative_to(root)} stays: {fault}"
    yield f"{what}: {len(removed)} removed, {size_of(sum(found.bytes for found in removed))}."


def _remove(search: Kept) -> list[Leftover]:
    whole = Leftover.at(search.folder)
    forget(search.place)
    shutil.rmtree(search.folder)
    return [whole]


def _tidy(search: Kept) -> list[Leftover]:
    """Remove checkpoints of trials that are over: a kill came before the driver did."""
    kept = sorted((search.folder / TRIALS).glob(f"*/{CHECKPOINTS}"))
    if not kept:
        return []
    over = {
        trial_folder(search.folder, start.user_attrs[ledger.NUMBER]) / CHECKPOINTS
        for start in starts_of(search.place)
        if ledger.is_over(start)
    }
    found = [Leftover.at(folder) for folder in kept if folder in over]
    for leftover in found:
        shutil.rmtree(leftover.path)
    return found
