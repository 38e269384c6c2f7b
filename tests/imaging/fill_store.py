"""Fills a store in a process that a test kills: python -m tests.imaging.fill_store <folder>."""

import sys
import time
from pathlib import Path

from oncotrail.imaging import workers
from oncotrail.imaging.decode import ImageSource, Pictures, pictures_of
from oncotrail.imaging.store import fill
from oncotrail.study.pixels import ViewPixels

VIEW = ViewPixels(window=None, rows=16, columns=24)
SECONDS = 0.02  # an image takes at least this long, so that a kill falls between two


def slowly(source: ImageSource, view: ViewPixels) -> Pictures:
    time.sleep(SECONDS)
    return pictures_of(source, view)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    workers.pictures_of = slowly
    sources = [ImageSource(path) for path in sorted((folder / "images").iterdir())]
    fill(folder / "store", folder / "out.npy", sources, VIEW, label="small/front")
