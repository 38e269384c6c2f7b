"""Series, boxes and masks of a raw cohort: checked, de-identified, carried along."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin
from pydicom import dcmread

from oncotrail.acquire.check import survey
from oncotrail.acquire.findings import Findings, Problem
from oncotrail.acquire.keep import Keeper, images_frame
from oncotrail.acquire.pseudonyms import Key
from oncotrail.cohort import tables
from oncotrail.imaging import listing
from oncotrail.imaging.decode import pictures_of
from oncotrail.imaging.read import read_scan
from oncotrail.study.pixels import ViewPixels
from tests.acquire.raw_cohort import RawCohort
from tests.imaging.dicom_files import write_series

NAME = "Xanthippe"
VOLUME = np.random.default_rng(1).integers(900, 1300, (4, 6, 8))
HEIGHTS = [7.5, 5.0, 2.5, 0.0]


def only(findings: Findings) -> Problem:
    assert len(findings.stopping) == 1, findings.stopping
    return findings.stopping[0]


def write_list(raw: RawCohort, extra: str, column: str) -> None:
    """images.csv with a box or a mask for the first patient, and none for the others."""
    lines = [f"patient,view,path,{column}", f"H1,front,images/front/H1.png,{extra}"]
    lines += [f"H{n},front,images/front/H{n}.png," for n in range(2, 9)]
    (raw.folder / "images.csv").write_text("\n".join(lines))


def write_mask(path: Path, rows: int = 20, columns: int = 24) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Reader", NAME)
    mask = np.zeros((rows, columns), np.uint8)
    mask[5:15, 4:20] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path, pnginfo=text)


def with_series(raw: RawCohort, **tags: object) -> Path:
    """The first patient's image is a series of four slices, sent from the head downwards."""
    raw.cohort["views"] = {"front": {"modality": "CT", "means": "chest"}}
    raw.image("front", "H1").unlink()
    said = {"PatientName": NAME, "PatientID": "H1", **tags}
    return write_series(raw.folder / "images" / "front" / "H1", VOLUME, HEIGHTS, **said)


def acquired(raw: RawCohort, out: Path) -> pd.DataFrame:
    """What the stage keeps, and its images table."""
    raw.write()
    out.mkdir()
    key = Key(b"k" * 32)
    with Keeper(out) as keeper:
        found = survey(raw.folder, raw.acquire(), raw.study(), key, keeper)
    assert found.findings.stopping == ()
    images = tables.checked(tables.IMAGES, images_frame(found), "images").set_index("patient")
    return images.assign(first=images.index == key.alias("H1").pseudonym)


def test_a_folder_of_slices_is_one_image(raw: RawCohort, tmp_path: Path) -> None:
    folder = with_series(raw)
    images = acquired(raw, tmp_path / "out")
    row = images[images["first"]].iloc[0]
    assert (row["slices"], row["rows"], row["columns"], row["slice_spacing"]) == (4, 6, 8, 2.5)
    kept = read_scan(tmp_path / "out" / row["path"])
    assert np.array_equal(kept.pixels, VOLUME[::-1] - 1024.0)
    assert row["sha256"] == kept.sha256() == read_scan(folder).sha256()
    assert (images.loc[~images["first"], "slices"] == 1).all()


def test_the_files_of_a_series_say_their_place_and_nothing_else(
    raw: RawCohort, tmp_path: Path
) -> None:
    with_series(raw)
    images = acquired(raw, tmp_path / "out")
    folder = tmp_path / "out" / images[images["first"]].iloc[0]["path"]
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == [f"000{number}.dcm" for number in range(4)]
    heights = [float(dcmread(path).ImagePositionPatient[2]) for path in files]
    assert heights == sorted(HEIGHTS)
    assert not any(NAME.encode() in path.read_bytes() for path in files)
    log = tables.read(tables.DEIDENTIFICATION, tmp_path / "out" / "deidentification.parquet")
    assert "PatientName" in set(log["keyword"])


def test_a_series_with_a_gap_is_one_problem_of_its_patient(raw: RawCohort) -> None:
    (with_series(raw) / "1.dcm").unlink()
    problem = only(raw.check())
    assert (problem.file, problem.patient) == ("images/front/H1", "H1")
    assert "slices" in problem.what
    assert problem.mend == "bring the slices that are missing, or export the series again"


def test_a_series_of_another_patient(raw: RawCohort) -> None:
    with_series(raw, PatientID="H2")
    assert only(raw.check()).what == "says that it is of patient H2"


def test_a_box_goes_with_its_image(raw: RawCohort, tmp_path: Path) -> None:
    write_list(raw, "2 3 12 20", "box")
    images = acquired(raw, tmp_path / "out")
    assert images[images["first"]].iloc[0]["box"] == "2 3 12 20"
    assert images.loc[~images["first"], "box"].isna().all()


def test_a_mask_goes_with_its_image_without_its_readers_name(
    raw: RawCohort, tmp_path: Path
) -> None:
    write_mask(raw.folder / "drawn" / "H1-by-Dr-X.png")
    write_list(raw, "drawn/H1-by-Dr-X.png", "mask")
    images = acquired(raw, tmp_path / "out")
    row = images[images["first"]].iloc[0]
    assert row["mask"] == f"masks/front/{row['image']}.png"
    data = (tmp_path / "out" / row["mask"]).read_bytes()
    assert NAME.encode() not in data
    assert np.asarray(Image.open(io.BytesIO(data))).sum() == 255 * 10 * 16
    log = pd.read_parquet(tmp_path / "out" / "deidentification.parquet")
    assert set(log.loc[log["image"] == f"{row['image']} mask", "keyword"]) == {"tEXt"}
    view = ViewPixels(window=None, rows=16, columns=16, region={"square": True})
    source = listing.source(row.to_dict(), tmp_path / "out")
    original = np.asarray(Image.open(raw.image("front", "H1")))[2:18, 4:20]
    assert np.array_equal(pictures_of(source, view).pixels[0], original)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("box", "0 0 21 24", "has 20 x 24 pixels, and its box ends at 21 and 24"),
        ("box", "wide", "has a box 'wide'"),
        ("mask", "none.png", "has the mask none.png, which is missing"),
        (
            "mask",
            "small.png",
            "which is a mask of 1 x 10 x 10 pixels, and its image has 1 x 20 x 24",
        ),
        ("mask", "blank.png", "has the mask blank.png, which is a mask that marks nothing"),
        ("mask", "lossy.jpg", "has the mask lossy.jpg, which is a JPEG, whose edges are blurred"),
        ("mask", "../m.png", "path '../m.png' does not lie below"),
        ("maks", "m.png", "has the columns maks"),
    ],
)
def test_a_region_that_does_not_fit_is_one_problem(
    raw: RawCohort, column: str, value: str, what: str
) -> None:
    Image.new("L", (10, 10), 1).save(raw.folder / "small.png")
    Image.new("L", (24, 20)).save(raw.folder / "blank.png")
    Image.new("L", (24, 20), 1).save(raw.folder / "lossy.jpg")
    write_list(raw, value, column)
    found = [problem for problem in raw.check().stopping if problem.file != "clinical.csv"]
    assert len(found) == 1
    assert what in found[0].what
    assert found[0].mend
    assert found[0].row == (1 if column == "maks" else 2)


def test_a_box_and_a_mask_are_too_much(raw: RawCohort) -> None:
    write_mask(raw.folder / "m.png")
    lines = ["patient,view,path,box,mask", "H1,front,images/front/H1.png,0 0 9 9,m.png"]
    lines += [f"H{n},front,images/front/H{n}.png,," for n in range(2, 9)]
    (raw.folder / "images.csv").write_text("\n".join(lines))
    assert only(raw.check()).what == "has a box and a mask"
