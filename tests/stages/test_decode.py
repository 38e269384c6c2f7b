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
from oncotrail.imaging.scan import digest
from oncotrail.record import MemoryRun
from oncotrail.study.pixels import ViewPixels
from pipelines import decode
from tests.only_picture import only_picture

STUDY = "small"
PATIENTS = ("P-C", "P-A", "P-B")


def settings(
    image_side: int | None = None, views: tuple[str, ...] = ("t4", "t11"), **view: object
) -> object:
    asked = {"window": None, "rows": 60, "columns": 100, **view}
    return decode.Settings.model_validate(
        {
            "compute": {"threads": 1, "precision": "float32"},
            "limits": {"image_side": image_side},
            "decode": {"views": dict.fromkeys(views, asked)},
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
        assert np.array_equal(stored, only_picture(path, view))
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


def test_a_second_run_decodes_nothing_and_writes_the_same_bytes(run: MemoryRun) -> None:
    decode.main(settings(), run)
    before = {path.name: path.read_bytes() for path in run.out.iterdir()}
    for path in run.out.iterdir():  # as DVC does
        path.unlink()
    decode.main(settings(), run)
    assert {path.name: path.read_bytes() for path in run.out.iterdir()} == before
    assert run.lines[-1].endswith("0 decoded, 3 taken from the store")
    assert (run.out / "t4.npy").stat().st_nlink == 2


def test_one_changed_image_decodes_one_image(run: MemoryRun) -> None:
    decode.main(settings(), run)
    path = run.folder("acquire") / "images" / "t4" / "P-A-t4.png"
    Image.fromarray(np.full((60, 100), 9, np.uint8)).save(path)
    decode.main(settings(), run)
    assert [line.partition(": ")[2] for line in run.lines[-2:]] == [
        "1 decoded, 2 taken from the store",
        "0 decoded, 3 taken from the store",
    ]


def test_each_slice_of_a_volume_is_a_row_that_says_which(run: MemoryRun) -> None:
    acquired = run.folder("acquire")
    images = tables.read(tables.IMAGES, acquired / "images.parquet")
    images = images[images["view"] == "t4"]
    for path in images["path"]:
        pages = [Image.fromarray(np.full((60, 100), 10 * n, np.uint8)) for n in range(5)]
        place = (acquired / path).with_suffix(".tif")
        pages[0].save(place, save_all=True, append_images=pages[1:])
    images = images.assign(path=images["path"].str.replace(".png", ".tif"))
    tables.write(tables.IMAGES, images, acquired / "images.parquet")
    decode.main(settings(views=("t4",), slices={"choose": "middle", "count": 3}), run)
    pixels = tables.read(tables.PIXELS, run.out / "pixels.parquet")
    stored = np.load(run.out / "t4.npy")
    assert stored.shape == (9, 60, 100)
    assert sorted(pixels["row"]) == list(range(9))
    for row in pixels.itertuples():
        assert (stored[row.row] == 10 * row.slice).all()
        assert row.sha256 == digest(stored[row.row])


def test_boxes_and_masks_of_the_images_table_are_used(run: MemoryRun) -> None:
    acquired = run.folder("acquire")
    mask = np.zeros((60, 100), np.uint8)
    mask[10:40, 30:90] = 1
    Image.fromarray(mask).save(acquired / "m.png")
    images = tables.read(tables.IMAGES, acquired / "images.parquet")
    here = images["view"] == "t4"
    images = images[here].assign(box=[None, "10 30 40 90", None], mask=["m.png", None, "m.png"])
    tables.write(tables.IMAGES, images, acquired / "images.parquet")
    decode.main(settings(views=("t4",), rows=30, columns=60, region={}), run)
    stored = np.load(run.out / "t4.npy")
    for row, path in enumerate(images.sort_values("image")["path"]):
        assert np.array_equal(stored[row], np.asarray(Image.open(acquired / path))[10:40, 30:90])
