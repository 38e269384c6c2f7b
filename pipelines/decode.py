"""Images -> the pixels that networks see, decoded once and memory-mapped, a file per view."""

import json

import pandas as pd

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.errors import DataFault
from oncotrail.imaging.decode import fill, limited
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.pixels import Decode, ViewPixels


class Limits(base.Settings):
    """The longest side in pixels that this machine can train on; None is no limit."""

    image_side: int | None


class Settings(base.Settings):
    """What this stage reads of params.yaml and the study file."""

    limits: Limits
    decode: Decode


def main(settings: Settings, run: Run) -> None:
    acquired = run.folder("acquire")
    images = tables.read(tables.IMAGES, acquired / "images.parquet")
    views = {
        name: limited(view, settings.limits.image_side)
        for name, view in settings.decode.views.items()
    }
    parts = []
    for name, view in views.items():
        here = _of_view(images, name)
        paths = [acquired / path for path in here["path"]]
        digests = fill(run.out / f"{name}.npy", paths, view)
        parts.append(here.assign(row=range(len(here)), sha256=digests))
        run.say(f"{len(here)} images of {name} at {view.rows} x {view.columns}")
    pixels = pd.concat(parts)[list(tables.PIXELS.columns)]
    tables.write(tables.PIXELS, pixels, run.out / "pixels.parquet")
    _record(views, run)


def _of_view(images: pd.DataFrame, view: str) -> pd.DataFrame:
    here = images[images["view"] == view].sort_values("image")
    if here.empty:
        known = ", ".join(sorted(images["view"].unique()))
        message = f"no patient has an image of the view {view!r}; the images are of: {known}."
        raise DataFault(message)
    return here


def _record(views: dict[str, ViewPixels], run: Run) -> None:
    used = {name: view.model_dump() for name, view in views.items()}
    text = json.dumps(used, indent=1, sort_keys=True) + "\n"
    (run.out / "decode.json").write_text(text, encoding="utf-8")
    for name, view in views.items():
        run.params({f"{name}_rows": view.rows, f"{name}_columns": view.columns})


if __name__ == "__main__":
    stage.run(main)
