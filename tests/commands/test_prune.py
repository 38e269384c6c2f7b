"""`oncotrail prune` gives back space, and no output loses anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from oncotrail.commands.prune import prune_pixels
from oncotrail.imaging import store
from oncotrail.imaging.decode import ImageSource
from oncotrail.study.pixels import ViewPixels


def test_what_no_output_links_to_is_removed(tmp_path: Path) -> None:
    view = ViewPixels(window=None, rows=1024, columns=1024)
    Image.fromarray(np.zeros((1024, 1024), np.uint8)).save(tmp_path / "a.png")
    sources = [ImageSource(tmp_path / "a.png")] * 3
    for name in ("one", "two"):
        output = tmp_path / f"{name}.npy"
        store.fill(tmp_path / store.PLACE, output, sources, view, label=f"x/{name}")
        sources.append(sources[0])
    (tmp_path / "one.npy").unlink()
    assert prune_pixels(tmp_path).startswith("1 pack of decoded pixels removed, 3 MiB in all")
    assert np.load(tmp_path / "two.npy").shape == (4, 1024, 1024)
    assert prune_pixels(tmp_path).startswith("0 packs of decoded pixels removed, 0 MiB")
