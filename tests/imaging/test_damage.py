"""Whatever happened to a file: the picture that it held, or one sentence. Never a black picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.errors import ImageFault
from oncotrail.imaging.deidentify import Alias, deidentified
from oncotrail.imaging.read import ImageFile, Kind, scan_of
from oncotrail.imaging.scan import Scan
from tests.imaging.formats import FORMATS

CUTS = 60  # places at which each file is cut
ALIAS = Alias("P-A", -1, b"k")


@cache
def whole(name: str) -> tuple[Kind, bytes, Scan]:
    kind, make = FORMATS[name]
    data = make()
    return kind, data, scan_of(ImageFile(kind, data))


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_short_is_a_fault_or_the_whole_picture(name: str) -> None:
    """It is the whole picture only where no more than the file's last words are missing."""
    kind, data, scan = whole(name)
    faults = 0
    for length in np.linspace(1, len(data) - 1, CUTS).astype(int):
        found = read(scan_of, ImageFile(kind, data[:length]))
        if isinstance(found, ImageFault):
            faults += 1
            assert found.mend
        else:
            assert np.array_equal(found.pixels, scan.pixels), f"cut at {length} of {len(data)}"
    assert faults > CUTS * 0.9


PLAIN = {"DICOM", "DICOM implicit", "DICOM big endian", "DICOM frames"} | {
    "TIFF",
    "TIFF colour",
    "TIFF pages",
    "NIfTI",
    "NIfTI-2 volume",
}  # zeros are values here: nothing tells them from black


@pytest.mark.parametrize("name", sorted(set(FORMATS) - PLAIN))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_whose_end_is_zeros_is_a_fault(name: str, share: float) -> None:
    """As a copy over a network leaves it that was given its size first."""
    kind, data, _ = whole(name)
    begin = int(len(data) * share)
    found = read(scan_of, ImageFile(kind, data[:begin] + bytes(len(data) - begin)))
    assert isinstance(found, ImageFault)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_damage_gives_anything_but_a_scan_or_a_fault(name: str, data: st.DataObject) -> None:
    """Any byte may be wrong, in the headers above all, and any part may be missing."""
    kind, good, _ = whole(name)
    damaged = bytearray(good[: data.draw(st.integers(1, len(good)))])
    for _ in range(data.draw(st.integers(0, 4))):
        last = len(damaged) - 1
        place = data.draw(st.integers(0, last) | st.integers(0, min(last, 600)))
        damaged[place] = data.draw(st.integers(0, 255))
    file = ImageFile(kind, bytes(damaged))
    for reader in (scan_of, lambda file: scan_of(_clean(file))):
        found = read(reader, file)
        if isinstance(found, ImageFault):
            assert "\n" not in str(found)
        else:
            assert np.isfinite(found.pixels).all()


@pytest.mark.parametrize("name", FORMATS)
def test_a_de_identified_file_holds_the_same_picture(name: str) -> None:
    kind, data, scan = whole(name)
    clean = scan_of(_clean(ImageFile(kind, data)))
    assert clean.sha256() == scan.sha256()
    assert (clean.full_range, clean.slice_spacing) == (scan.full_range, scan.slice_spacing)


def read(reader: Callable[[ImageFile], Scan], file: ImageFile) -> Scan | ImageFault:
    """What comes out, and nothing else may."""
    try:
        return reader(file)
    except ImageFault as fault:
        return fault


def _clean(file: ImageFile) -> ImageFile:
    return deidentified(file, ALIAS, checked_by_hand=True).file
