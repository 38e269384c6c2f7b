"""`oncotrail check` finds what a later stage would refuse, image by image, and says so at once."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from oncotrail.commands.check import check_cohort
from oncotrail.errors import DataFault, ImageFault
from oncotrail.study.pixels import ViewPixels, Window
from tests.imaging.dicom_files import make_dicom
from tests.only_picture import only_picture

STUDY = "bones"
FILE = """\
study:
  bones: {title: Bones, question: Why?, methods: By looking.}
acquire:
  bones: {path: raw, pseudonyms: keyed, on_fault: ON_FAULT}
cohort:
  bones:
    patient: id
    site: hospital
    outcomes:
      death: {kind: label, column: died, positive: "1", negative: "0", means: died}
    views:
      front: {modality: DX, means: a radiograph}
    clinical:
      age: {kind: number, unit: years, minimum: 18, maximum: 100}
split:
  bones: {validation: 0.2, test: 0.2, stratify_by: death, folds: 2, fusion_folds: 1}
decode:
  bones:
    views:
      front: {window: WINDOW, rows: 32, columns: 32}
"""
FORMATS = ("png", "jpg", "nii", "dcm")


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 200, (24, 20), dtype=np.uint8)


def write_image(folder: Path, number: int, ending: str, kind: type = np.int16) -> None:
    path = folder / "images" / "front" / f"P{number}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == "nii":
        affine = np.diag([-1.0, -1.0, 1.0, 1.0])
        values = picture(number).astype(kind)[:, :, np.newaxis]
        nibabel.save(nibabel.Nifti1Image(values, affine), path)
    elif ending == "dcm":
        path.write_bytes(make_dicom(picture(number), Modality="DX"))
    else:
        Image.fromarray(picture(number)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Eight patients in four formats, as the page's `Formats may be mixed` invites."""
    rows = [["id", "hospital", "died", "age"]]
    for number in range(8):
        write_image(tmp_path / "raw", number, FORMATS[number % 4])
        rows.append([f"P{number}", "A", str(number % 2), str(50 + number)])
    with (tmp_path / "raw" / "clinical.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    declare(tmp_path)
    return tmp_path


def declare(root: Path, window: str = "null", on_fault: str = "stop") -> None:
    text = FILE.replace("WINDOW", window).replace("ON_FAULT", on_fault)
    (root / "studies").mkdir(exist_ok=True)
    (root / "studies" / f"{STUDY}.yaml").write_text(text, encoding="utf-8")


def told(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[set[str], str]:
    """The files of the table of problems, and all that was printed, without its frames."""
    with pytest.raises(DataFault, match="to mend"):
        check_cohort(root, STUDY)
    text = capsys.readouterr().out
    return set(re.findall(r"images/front/\S+", text)), " ".join(re.sub("[│┃]", " ", text).split())


@pytest.mark.parametrize("on_fault", ["stop", "exclude"])
def test_every_image_that_decode_would_refuse_is_a_problem(
    root: Path, capsys: pytest.CaptureFixture[str], on_fault: str
) -> None:
    """Whatever `on_fault` says: acquire excludes nobody for a window, so decode would stop."""
    declare(root, on_fault=on_fault)
    files, text = told(root, capsys)
    assert files == {"images/front/P2.nii", "images/front/P6.nii"}
    assert "holds values of no known range" in text
    assert "declare the view's window" in text
    for file in files:
        with pytest.raises(ImageFault, match="no known range"):
            only_picture(root / "raw" / file, ViewPixels(window=None, rows=32, columns=32))


def test_what_passes_the_check_passes_decode(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (2, 6):
        write_image(root / "raw", number, "nii", np.uint8)
    check_cohort(root, STUDY)
    assert "8 patients, 8 eligible, 8 images." in capsys.readouterr().out
    for path in (root / "raw" / "images" / "front").iterdir():
        only_picture(path, ViewPixels(window=None, rows=32, columns=32))


def test_a_window_in_hounsfield_units_is_a_problem_of_each_grey_image(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(root, "{low: -160, high: 240}")
    files, text = told(root, capsys)
    assert files == {f"images/front/P{n}.{FORMATS[n % 4]}" for n in (0, 1, 4, 5)}
    assert "write window: null for this view" in text
    view = ViewPixels(window=Window(low=-160, high=240), rows=32, columns=32)
    with pytest.raises(ImageFault, match="grey levels"):
        only_picture(root / "raw" / "images" / "front" / "P0.png", view)


def test_who_is_excluded_anyway_needs_no_window(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = root / "raw" / "clinical.csv"
    table.write_text(table.read_text().replace(",52", ",300").replace(",56", ",300"))
    declare(root, on_fault="exclude")
    check_cohort(root, STUDY)
    assert "8 patients, 6 eligible" in capsys.readouterr().out


def test_a_fault_of_the_patient_hides_no_fault_of_the_window(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = root / "raw" / "clinical.csv"
    table.write_text(table.read_text().replace(",52", ",300"))
    files, text = told(root, capsys)
    assert len(files) == 2
    assert "age is outside" in text


def test_a_volume_without_a_choice_of_slices_is_a_problem(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check does with each image what decode will do, up to its last pixel."""
    for number in (2, 6):
        path = root / "raw" / "images" / "front" / f"P{number}.nii"
        values = np.dstack([picture(number)] * 3)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    files, text = told(root, capsys)
    assert files == {"images/front/P2.nii", "images/front/P6.nii"}
    assert "is a volume of 3 slices" in text


def test_a_view_cut_to_a_region_needs_one_of_every_image(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (2, 6):
        write_image(root / "raw", number, "nii", np.uint8)
    path = root / "studies" / f"{STUDY}.yaml"
    path.write_text(path.read_text().replace("columns: 32}", "columns: 32, region: {}}"))
    files, text = told(root, capsys)
    assert len(files) == 8
    assert "has no region of interest" in text
