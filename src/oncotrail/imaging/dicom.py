"""A DICOM dataset of one frame or many -> `Scan`: Hounsfield units where it is CT."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from oncotrail.errors import ImageFault
from oncotrail.imaging.dicom_frames import Frame, frames_of, group
from oncotrail.imaging.geometry import Place, Stack, place_of, stacked
from oncotrail.imaging.scan import COLOURS, Scan, as_pixels, refuse_size
from oncotrail.imaging.voi import Voi

MOST_BYTES = 2**32  # of a deflated file, unpacked
AT_ONCE = 2**24
META = 0x0002  # the group of the file's meta, which is never deflated

# pydicom quotes an odd value in its warnings, and a value may be a name or a date.
config.settings.reading_validation_mode = config.IGNORE
config.settings.writing_validation_mode = config.IGNORE


def dataset_of(data: bytes) -> FileDataset:
    """The dataset in these bytes."""
    try:
        _refuse_bomb(data)
        dataset = dcmread(io.BytesIO(data))
    except InvalidDicomError:
        raise ImageFault(
            "is no DICOM file (no DICM after 128 bytes)", "export it again as DICOM Part 10"
        ) from None
    if "PixelData" not in dataset:
        raise ImageFault(
            "is a DICOM file without an image (no PixelData)",
            "copy or export it again whole, as one image; it may be cut short, or be no image",
        )
    return dataset


def scan_of(dataset: Dataset) -> Scan:
    """All frames in the order of their places; where a file says no places, in its own order."""
    frames = frame_count(dataset)
    return assembled(dataset, values_of(dataset), _stack(dataset, frames))


def frame_count(dataset: Dataset) -> int:
    """How many frames a dataset announces, after its size was found possible."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    refuse_size(int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0), frames)
    return frames


def values_of(dataset: Dataset) -> Iterator[Frame]:
    """The frames of a dataset in the unit of its modality, in the file's order."""
    hounsfield = text(dataset, "Modality") == "CT"
    return frames_of(dataset, frame_count(dataset), hounsfield=hounsfield)


def assembled(dataset: Dataset, frames: Iterable[Frame], stack: Stack) -> Scan:
    """A scan of these frames, each put in its place; `dataset` says what holds for all of them."""
    pixels, said = _in_place(frames, stack)
    ranges = [frame.full_range for frame in said if frame.full_range]
    row_spacing, column_spacing = spacing_of(dataset)
    return Scan(
        pixels=as_pixels(pixels),
        row_spacing=row_spacing,
        column_spacing=column_spacing,
        slice_spacing=stack.spacing,
        modality=text(dataset, "Modality"),
        full_range=_covering(ranges) if len(ranges) == len(said) else None,
        grey=pixels.ndim == COLOURS,
        voi=tuple(frame.voi for frame in said if frame.voi),
        manufacturer=text(dataset, "Manufacturer"),
        scanner=text(dataset, "ManufacturerModelName"),
        series=text(dataset, "SeriesInstanceUID"),
        phase=text(dataset, "TemporalPositionIdentifier"),
        laterality=text(dataset, "ImageLaterality") or text(dataset, "Laterality"),
    )


def place_of_frame(dataset: Dataset, frame: int) -> Place | None:
    """Where a frame lies in the patient, if the file says it."""
    return place_of(
        group(dataset, frame, "PlanePositionSequence"),
        group(dataset, frame, "PlaneOrientationSequence"),
    )


def text(dataset: Dataset, keyword: str) -> str | None:
    """One value as text, or None where it is absent or blank."""
    value = dataset.get(keyword)
    return str(value).strip() or None if value is not None else None


def spacing_of(dataset: Dataset) -> tuple[float | None, float | None]:
    """Millimetres between rows and between columns; a radiograph's are at its detector."""
    measures = group(dataset, 0, "PixelMeasuresSequence")
    values = measures.get("PixelSpacing") or dataset.get("ImagerPixelSpacing") or ()
    millimetres = [float(value) for value in values]
    if len(millimetres) != 2 or not all(0 < v < math.inf for v in millimetres):  # noqa: PLR2004
        return None, None
    return millimetres[0], millimetres[1]


@dataclass(frozen=True)
class _Said:
    """What is remembered of a frame when its pixels are in place."""

    full_range: tuple[float, float] | None
    voi: Voi | None


def _in_place(frames: Iterable[Frame], stack: Stack) -> tuple[NDArray[np.float32], list[_Said]]:
    place = {number: place for place, number in enumerate(stack.order)}
    pixels: NDArray[np.float32] | None = None
    said: dict[int, _Said] = {}
    for number, frame in enumerate(frames):
        if pixels is None:
            pixels = np.empty((len(place), *frame.pixels.shape), np.float32)
        if frame.pixels.shape != pixels.shape[1:]:
            raise ImageFault("holds slices of different sizes", "keep the slices of one series")
        pixels[place[number]] = frame.pixels
        said[place[number]] = _Said(frame.full_range, frame.voi)
    if pixels is None or len(said) < len(place):
        raise ImageFault(f"holds {len(said)} of {len(place)} frames", "copy it again")
    return pixels, [said[number] for number in range(len(said))]


def _covering(ranges: list[tuple[float, float]]) -> tuple[float, float]:
    """From the least black to the greatest white: slices may be scaled each in its own way."""
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _stack(dataset: Dataset, frames: int) -> Stack:
    places = [place_of_frame(dataset, frame) for frame in range(frames)]
    if frames > 1 and "PerFrameFunctionalGroupsSequence" in dataset:
        known = [place for place in places if place]
        if len(known) == frames:
            return stacked(known)
    spacing = float(dataset.get("SpacingBetweenSlices") or 0)
    return Stack(tuple(range(frames)), spacing if frames > 1 and 0 < spacing < math.inf else None)


def _refuse_bomb(data: bytes) -> None:
    """A deflated file is unpacked here first, up to a limit: pydicom knows none."""
    file = io.BytesIO(data)
    read_preamble(file, force=False)
    read_dataset(
        file,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _, __: tag.group != META,
    )
    end = file.tell()  # whatever length the meta says it has, if it says one
    if DeflatedExplicitVRLittleEndian.encode() not in data[:end]:
        return
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    left = MOST_BYTES
    packed = data[end:]
    while packed and not unpacking.eof:
        left -= len(unpacking.decompress(packed, AT_ONCE))
        packed = unpacking.unconsumed_tail
        if left < 0:
            raise ImageFault(f"unpacks to more than {MOST_BYTES:,} bytes", "export it undeflated")
