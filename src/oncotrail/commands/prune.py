"""`oncotrail prune`: give back the space of work in progress that nothing needs any more.

    .oncotrail/pixels        packs that no output links to                          at once
    .oncotrail/checkpoints   of runs that no stage asks for as things stand         by age and size
    .oncotrail/search        searches that no network asks for as things stand      by age and size
    .oncotrail/features      of frozen trunks                                       by age and size

What is in use stays: a search by its lock, and while a stage runs all checkpoints and features, for
nobody can tell which are its own. Everything here can be made again; it costs time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from oncotrail.commands import prune_present, prune_searches
from oncotrail.commands.prune_bounds import Bounds, Leftover, doomed, size_of
from oncotrail.commands.prune_locks import idle_stages_held
from oncotrail.errors import StageBusy
from oncotrail.imaging import store
from oncotrail.search.network import FEATURES
from oncotrail.stage import WORK

CHECKPOINTS = "checkpoints"


def prune(root: Path, bounds: Bounds) -> Iterator[str]:
    """Remove what nothing needs, and say so line by line; what cannot be judged stays."""
    yield _pixels(root)
    kept = _below(root / WORK / CHECKPOINTS)
    runs = prune_present.run_keys(root) if kept else prune_present.Asked()
    searches = prune_searches.judged(root)  # all is read before anything is held
    with idle_stages_held(root) as running:
        yield from prune_searches.prune(root, searches, running, bounds)
        if running:
            yield f"checkpoints and features stay: {', '.join(running)} runs."
            return
        yield _checkpoints(kept, runs, bounds)
        yield _removed("features", _below(root / WORK / FEATURES), bounds)


def _pixels(root: Path) -> str:
    try:
        pruned = store.prune(root / store.PLACE)
    except StageBusy as busy:
        return f"decoded pixels stay: {busy}"
    return f"decoded pixels: {pruned.packs} packs removed, {size_of(pruned.bytes)}."


def _checkpoints(kept: Iterable[Path], runs: prune_present.Asked, bounds: Bounds) -> str:
    if runs.untold:
        return f"checkpoints stay, for nobody can tell whose they are: {runs.untold[0]}"
    return _removed("checkpoints", [path for path in kept if path.name not in runs.keys], bounds)


def _removed(what: str, paths: Iterable[Path], bounds: Bounds) -> str:
    gone = doomed(map(Leftover.at, paths), bounds)
    for leftover in gone:
        if leftover.path.is_dir():
            shutil.rmtree(leftover.path)
        else:
            leftover.path.unlink()
    return f"{what}: {len(gone)} removed, {size_of(sum(found.bytes for found in gone))}."


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
