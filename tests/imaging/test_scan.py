"""A picture's digest is the picture's, whatever file it came from."""

from __future__ import annotations

import numpy as np

from oncotrail.imaging.read import ImageFile, scan_of
from oncotrail.imaging.scan import digest
from tests.imaging.dicom_files import make_dicom


def test_the_same_picture_in_another_file_has_the_same_digest() -> None:
    one = scan_of(ImageFile("DICOM", make_dicom(PatientName="One", SOPInstanceUID="1.2")))
    other = scan_of(ImageFile("DICOM", make_dicom(PatientName="Other", SOPInstanceUID="1.3")))
    assert digest(one.pixels) == digest(other.pixels)


def test_one_pixel_changes_the_digest() -> None:
    picture = np.zeros((5, 5), dtype=np.float32)
    changed = picture.copy()
    changed[4, 4] = 1
    assert digest(picture) != digest(changed)


def test_the_digest_does_not_depend_on_how_numbers_are_stored() -> None:
    picture = np.arange(12).reshape(3, 4)
    assert digest(picture.astype(np.uint8)) == digest(picture.astype(">f4"))
