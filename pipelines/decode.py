"""Images -> the pixels that networks see, decoded once and memory-mapped, a file per view."""

import json

import pandas as pd

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.imaging import decode, listing, store
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.computing import Compute
from oncotrail.study.pixels import Decode


class Limits(base.Settings):
    """The longest side in pixels that this machine can train on; None is no limit."""

    image_side: int | None


class Settings(base.Settings):
    """What this stage reads of params.yaml and the study file."""

    compute: Compute
    limits: Limits
    decode: Decode


def main(settings: Settings, run: Run) -> None:
    acquired, side = run.folder("acquire"), settings.limits.image_side
    images = tables.read(tables.IMAGES, acquired / "images.parquet")
    parts, used = [], {}
    for name, declared in settings.decode.views.items():
        view, here = decode.limited(declared, side), listing.of_view(images, name)
        filled = store.fill(
            run.root / store.PLACE,
            run.out / f"{name}.npy",
            listing.sources(here, acquired),
            view,
            label=f"{run.study}/{name}",
            processes=settings.compute.threads,
        )
        parts.append(listing.rows(here, filled.images))
        used[name] = view.asked()
        run.params({f"{name}_rows": view.rows, f"{name}_columns": view.columns})
        run.say(f"{len(here)} images of {name} at {view.rows} x {view.columns}: {filled}")
    tables.write(tables.PIXELS, pd.concat(parts), run.out / "pixels.parquet")
    text = json.dumps(used, indent=1, sort_keys=True) + "\n"
    (run.out / "decode.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    stage.run(main)
