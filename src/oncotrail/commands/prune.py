"""`oncotrail prune`: give back the space of decoded pixels that no output needs."""

from __future__ import annotations

from pathlib import Path

from oncotrail.imaging import store

MIB = 2**20


def prune_pixels(root: Path) -> str:
    """Prune the pixel store of the repository in `root`; say what was removed."""
    pruned = store.prune(root / store.PLACE)
    packs = "1 pack" if pruned.packs == 1 else f"{pruned.packs} packs"
    return (
        f"{packs} of decoded pixels removed, {pruned.bytes / MIB:,.0f} MiB in all with halves; "
        "those that an output in data/ links to stay."
    )
