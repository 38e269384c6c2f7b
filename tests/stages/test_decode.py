"""The stage decode@study: images in, one memory-mapped file of pixels per view out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from oncotrail.cohort import tables
from oncotrail.errors import DataFault, ImageFault
from oncotrail.imaging.decode import pixels_of
from oncotrail.imaging.scan import digest
from oncotrail.record import MemoryRun
from oncotrail.study.pixels import ViewPixels
from pipelines import decode

STUDY = "small"
PATIENTS = ("P-C", "P-A", "P-B")


def settings(image_side: int | None = None, views: tuple[str, ...] = ("t4", "t11")) -> object:
    return decode.Settings.model_validate(
        {
            "limits": {"image_side": image_side},
            "decode": {"views": {v: {"window": None, "rows": 60, "columns": 100} for v in views}},
        }
    )


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    """Three patients with two views each, as acquire leaves them."""
    acquired = MemoryRun(tmp_path, STUDY, "acquire").out
    rows = []
    for number, (patient, view) in enumerate((p, v) for p in PATIENTS for v in ("t4", "t11")):
        path = f"images/{view}/{patient}-{view}.png"
        (acquired / path).parent.mkdir(parents=True, exist_ok=True)
        picture = np.random.default_rng(number).integers(0, 256, (60, 100), dtype=np.uint8)
        Image.fromarray(picture).save(acquired / path)
        rows.append({"image": f"{patient}-{view}", "patient": patient, "view": view, "path": path})
    images = pd.DataFrame(rows, columns=list(tables.IMAGES.columns))
    images = images.assign(sha256="0" * 64, rows=60, columns=100)
    tables.write(tables.IMAGES, images, acquired / "images.parquet")
    return MemoryRun(tmp_path, STUDY, "decode")


def test_each_row_holds_the_pixels_of_its_image(run: MemoryRun) -> None:
    decode.main(settings(), run)
    pixels = tables.read(tables.PIXELS, run.out / "pixels.parquet")
    assert len(pixels) == 6
    view = ViewPixels(window=None, rows=60, columns=100)
    for row in pixels.itertuples():
        stored = np.load(run.out / f"{row.view}.npy", mmap_mode="r")[row.row]
        path = run.folder("acquire") / "images" / row.view / f"{row.image}.png"
        assert np.array_equal(stored, pixels_of(path, view))
        assert row.sha256 == digest(stored)
        assert row.image == f"{row.patient}-{row.view}"


def test_the_order_of_the_images_table_does_not_matter(run: MemoryRun) -> None:
    decode.main(settings(), run)
    before = (run.out / "t4.npy").read_bytes()
    path = run.folder("acquire") / "images.parquet"
    pd.read_parquet(path).sample(frac=1, random_state=1).to_parquet(path, index=False)
    decode.main(settings(), run)
    assert (run.out / "t4.npy").read_bytes() == before


def test_the_limit_is_applied_and_said(run: MemoryRun) -> None:
    decode.main(settings(image_side=64), run)
    used = json.loads((run.out / "decode.json").read_text())
    assert used["t4"] == {"window": None, "rows": 32, "columns": 64}
    assert np.load(run.out / "t4.npy").shape == (3, 32, 64)
    assert np.load(run.out / "t4.npy").dtype == np.uint8
    assert run.recorded_params["t4_rows"] == 32


def test_a_view_of_which_there_is_no_image(run: MemoryRun) -> None:
    with pytest.raises(DataFault, match=r"no patient has an image of the view 't5'.*t11, t4"):
        decode.main(settings(views=("t5",)), run)


def test_an_image_that_broke_since_is_named(run: MemoryRun) -> None:
    (run.folder("acquire") / "images" / "t4" / "P-A-t4.png").write_bytes(b"")
    with pytest.raises(ImageFault, match=r"P-A-t4\.png is empty"):
        decode.main(settings(), run)
