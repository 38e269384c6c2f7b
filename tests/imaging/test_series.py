"""A folder of slices becomes a volume by where they lie, or a sentence that says why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.geometry import Place, stacked
from oncotrail.imaging.read import ImageFile, read_scan, scan_of
from tests.imaging.dicom_files import make_dicom, write_series

VOLUME = np.random.default_rng(1).integers(0, 4096, (5, 6, 8))
HEIGHTS = [10.0, 12.5, 15.0, 17.5, 20.0]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def test_position_decides_and_neither_name_nor_number(tmp_path: Path) -> None:
    names = ["c.dcm", "a", "e.dcm", "b", "d.dcm"]
    folder = write_series(tmp_path / "s", VOLUME, HEIGHTS, names)
    scan = read_scan(folder)
    assert np.array_equal(scan.pixels, VOLUME - 1024.0)
    assert (scan.slice_spacing, scan.row_spacing, scan.column_spacing) == (2.5, 0.5, 0.75)
    assert scan.size == (5, 6, 8)


def test_slices_that_run_downwards_are_turned_round(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", VOLUME, HEIGHTS[::-1])
    assert np.array_equal(read_scan(folder).pixels, VOLUME[::-1] - 1024.0)


def test_each_slice_is_scaled_by_its_own_slope(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", VOLUME[:2], HEIGHTS[:2], Modality="PT")
    steep = {"Modality": "PT", "RescaleSlope": 3}
    write_series(tmp_path / "s", VOLUME[1:2], HEIGHTS[1:2], ["1.dcm"], **steep)
    scan = read_scan(folder)
    assert np.array_equal(scan.pixels[1], VOLUME[1] * 3 - 1024.0)
    assert scan.full_range == (-1024, 4095 * 3 - 1024)


def test_a_folder_of_one_file_is_that_file(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", VOLUME[:1], HEIGHTS[:1])
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "DICOMDIR").write_bytes(b"x")
    assert read_scan(folder).sha256() == read_scan(folder / "0.dcm").sha256()


def add(folder: Path, volume: NDArray[Any] = VOLUME[:1], **tags: Any) -> None:
    """One more slice, above the others."""
    write_series(folder, volume, [22.5], ["x"], **tags)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


SPOIL: dict[str, Callable[[Path], object]] = {
    "gap": lambda folder: (folder / "2.dcm").unlink(),
    "two series": lambda folder: add(folder, SeriesInstanceUID="1.2.3.9"),
    "copy": lambda folder: shutil.copy(folder / "2.dcm", folder / "copy.dcm"),
    "localiser": lambda folder: add(folder, ImageOrientationPatient=SAGITTAL),
    "other size": lambda folder: add(folder, VOLUME[:1, :4]),
    "no place": lambda folder: add(folder, ImagePositionPatient=None),
    "png": lambda folder: Image.new("L", (8, 6)).save(folder / "x.png"),
    "damaged": lambda folder: (folder / "2.dcm").write_bytes(b"nonsense"),
    "cut": lambda folder: cut_short(folder / "2.dcm"),
    "folder": lambda folder: (folder / "more").mkdir(),
    "frames": lambda folder: add(folder, VOLUME[np.newaxis, :2]),
    "nothing": empty,
}


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("gap", r"slices 2\.5 mm apart, and 5 mm between those at 12\.5 and 17\.5 mm; bring"),
        ("two series", r"holds 2 series \(of 5, 1 slices\); put the slices of one series"),
        ("copy", "two lie at the same one; keep one reconstruction, phase or copy"),
        ("localiser", r"slices in 2 orientations \(1 of 6 differ from the first\); keep"),
        ("other size", r"holds 2 numbers of rows \(of 5, 1 slices\)"),
        ("no place", "holds 1 slices of 6 that do not say where they lie"),
        ("png", r"holds x\.png, which is PNG; a folder is one DICOM series"),
        ("damaged", r"holds 2\.dcm, which is not a DICOM file"),
        ("cut", "is cut short: 46 of 96 bytes"),
        ("folder", "holds folders"),
        ("frames", "a file of several frames among its slices"),
        ("nothing", "is an empty folder; put the DICOM slices"),
    ],
)
def test_a_folder_that_is_no_whole_volume_is_one_sentence(
    tmp_path: Path, what: str, sentence: str
) -> None:
    folder = write_series(tmp_path / "s", VOLUME, HEIGHTS)
    SPOIL[what](folder)
    with pytest.raises(ImageFault, match=sentence) as caught:
        read_scan(folder)
    assert str(caught.value).startswith(str(folder))
    assert caught.value.mend


@given(st.permutations(range(6)), st.floats(0, 6.28), st.floats(0.1, 9))
def test_any_order_in_any_direction_is_the_same_stack(
    order: list[int], angle: float, step: float
) -> None:
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([0, 0, -1.0])
    normal = np.cross(row, column)
    places = [
        Place(tuple(7 + normal * step * number), (*row.tolist(), *column.tolist()))
        for number in order
    ]
    stack = stacked(places)
    assert [order[number] for number in stack.order] == list(range(6))
    assert stack.spacing == pytest.approx(step)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_nifti_and_dicom_of_one_volume_are_the_same_pixels(tmp_path: Path, plane: str) -> None:
    """Rows, columns and normal of DICOM (left, back, up) as NIfTI's axes (right, front, up)."""
    directions = {
        "axial": ([1, 0, 0], [0, 1, 0]),
        "coronal": ([1, 0, 0], [0, 0, -1]),
        "sagittal": ([0, 1, 0], [0, 0, -1]),
    }
    row, column = (np.array(direction, dtype=float) for direction in directions[plane])
    normal = np.cross(row, column)
    folder = tmp_path / "s"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}").write_bytes(
            make_dicom(
                VOLUME[number],
                ImagePositionPatient=(normal * 2.5 * number).tolist(),
                ImageOrientationPatient=[*row.tolist(), *column.tolist()],
            )
        )
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * 0.75, column * 0.5, normal * 2.5
    affine = np.diag([-1.0, -1, 1, 1]) @ affine
    values = (VOLUME - 1024).astype(np.int16).transpose(2, 1, 0)
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "v.nii.gz")
    one, other = read_scan(folder), read_scan(tmp_path / "v.nii.gz")
    assert np.array_equal(one.pixels, other.pixels)
    assert (one.row_spacing, one.column_spacing, one.slice_spacing) == pytest.approx(
        (other.row_spacing, other.column_spacing, other.slice_spacing)
    )


def test_nifti_of_a_time_series() -> None:
    data = nibabel.Nifti1Image(np.zeros((4, 4, 3, 2), np.int16), np.eye(4)).to_bytes()
    with pytest.raises(ImageFault, match="has axes of 4 x 4 x 3 x 2; expected a slice or a volume"):
        scan_of(ImageFile("NIfTI", data))
