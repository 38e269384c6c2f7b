"""A folder of DICOM slices -> one volume, in the order in which they lie in the patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pydicom.dataset import Dataset

from oncotrail.errors import ImageFault
from oncotrail.imaging import dicom
from oncotrail.imaging.dicom_frames import Frame
from oncotrail.imaging.geometry import Place, Stack, stacked
from oncotrail.imaging.scan import Scan, refuse_size

ONE_SERIES = "put the slices of one series, and nothing else, into the folder"


def scan_of(datasets: Sequence[Dataset]) -> Scan:
    """The volume of these slices; a single dataset may be of several frames."""
    if len(datasets) == 1:
        return dicom.scan_of(datasets[0])
    stack = stack_of(datasets)
    first = datasets[stack.order[0]]
    refuse_size(int(first.get("Rows") or 0), int(first.get("Columns") or 0), len(datasets))
    return dicom.assembled(first, _slices(datasets), stack)


def stack_of(datasets: Sequence[Dataset]) -> Stack:
    """In which order these slices lie, or an `ImageFault` where they are not one whole volume."""
    if len(datasets) == 1:
        return Stack((0,), None)
    for keyword, what in (
        ("SeriesInstanceUID", "series"),
        ("Modality", "modalities"),
        ("Rows", "numbers of rows"),
        ("Columns", "numbers of columns"),
        ("PhotometricInterpretation", "kinds of pixels"),
    ):
        _refuse_several(datasets, keyword, what)
    places = [dicom.place_of_frame(dataset, 0) for dataset in datasets]
    known: list[Place] = [place for place in places if place]
    if len(known) < len(datasets):
        raise ImageFault(
            f"holds {len(datasets) - len(known)} slices of {len(datasets)} that do not say where "
            "they lie (ImagePositionPatient, ImageOrientationPatient)",
            "export the series again with its geometry",
        )
    return stacked(known)


def _refuse_several(datasets: Sequence[Dataset], keyword: str, what: str) -> None:
    found = Counter(dicom.text(dataset, keyword) for dataset in datasets)
    if len(found) > 1:
        slices = ", ".join(str(count) for _, count in found.most_common())
        raise ImageFault(f"holds {len(found)} {what} (of {slices} slices)", ONE_SERIES)


def _slices(datasets: Sequence[Dataset]) -> Iterator[Frame]:
    for dataset in datasets:
        if dicom.frame_count(dataset) > 1:
            raise ImageFault("holds a file of several frames among its slices", ONE_SERIES)
        yield from dicom.values_of(dataset)
