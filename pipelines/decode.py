"""Images -> the pixels that networks see, decoded once and memory-mapped, a file per view."""

import json

import pandas as pd

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.errors import DataFault
from oncotrail.imaging.decode import fill, limited
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.pixels import Decode


class Limits(base.Settings):
    """The longest side in pixels that this machine can train on; None is no limit."""

    image_side: int | None


class Settings(base.Settings):
    """What this stage reads of params.yaml and the study file."""

    limits: Limits
    decode: Decode


def main(settings: Settings, run: Run) -> None:
    acquired, side = run.folder("acquire"), settings.limits.image_side
    images = tables.read(tables.IMAGES, acquired / "images.parquet")
    parts, used = [], {}
    for name, declared in settings.decode.views.items():
        view, here = limited(declared, side), _of_view(images, name)
        digests = fill(run.out / f"{name}.npy", [acquired / path for path in here["path"]], view)
        parts.append(here.assign(row=range(len(here)), sha256=digests))
        used[name] = view.model_dump()
        run.params({f"{name}_rows": view.rows, f"{name}_columns": view.columns})
        run.say(f"{len(here)} images of {name} at {view.rows} x {view.columns}")
    pixels = pd.concat(parts)[list(tables.PIXELS.columns)]
    tables.write(tables.PIXELS, pixels, run.out / "pixels.parquet")
    text = json.dumps(used, indent=1, sort_keys=True) + "\n"
    (run.out / "decode.json").write_text(text, encoding="utf-8")


def _of_view(images: pd.DataFrame, view: str) -> pd.DataFrame:
    here = images[images["view"] == view].sort_values("image")
    if here.empty:
        known = ", ".join(sorted(images["view"].unique()))
        message = f"no patient has an image of the view {view!r}; the images are of: {known}."
        raise DataFault(message)
    return here


if __name__ == "__main__":
    stage.run(main)
