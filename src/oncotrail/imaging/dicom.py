"""A DICOM dataset -> `Scan`: Hounsfield units where it is CT, dark-is-low everywhere."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import UID

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan, pixels_of_single_slice, refuse_size

# pydicom quotes an odd value in its warnings, and a value may be a name or a date.
config.settings.reading_validation_mode = config.IGNORE
config.settings.writing_validation_mode = config.IGNORE


def dataset_of(data: bytes) -> FileDataset:
    """The dataset in these bytes."""
    try:
        dataset = dcmread(io.BytesIO(data))
    except InvalidDicomError:
        message = "is no DICOM file (no DICM after 128 bytes); export it again as DICOM Part 10."
        raise ImageFault(message) from None
    if "PixelData" not in dataset:
        message = "is a DICOM file without an image (no PixelData)."
        raise ImageFault(message)
    return dataset


def scan_of(dataset: Dataset) -> Scan:
    """Stored values -> modality LUT (Hounsfield units, for CT) -> dark-is-low.

    MONOCHROME1 shows low values bright. That is a fact about the display: a Hounsfield unit stays
    what it is, and a radiograph is inverted within the range that its bits can hold.
    """
    _refuse_what_is_no_single_grey_slice(dataset)
    modality = text(dataset, "Modality")
    stored = _stored_values(dataset)
    pixels = pixels_of_single_slice(apply_modality_lut(stored, dataset))
    full_range = None if modality == "CT" else _range(dataset)
    if full_range and dataset.PhotometricInterpretation == "MONOCHROME1":
        pixels = np.float32(sum(full_range)) - pixels
    row_spacing, column_spacing = _spacing(dataset)
    return Scan(
        pixels=pixels,
        row_spacing=row_spacing,
        column_spacing=column_spacing,
        modality=modality,
        full_range=full_range,
        manufacturer=text(dataset, "Manufacturer"),
        scanner=text(dataset, "ManufacturerModelName"),
        series=text(dataset, "SeriesInstanceUID"),
        phase=text(dataset, "TemporalPositionIdentifier"),
        laterality=text(dataset, "ImageLaterality") or text(dataset, "Laterality"),
    )


def text(dataset: Dataset, keyword: str) -> str | None:
    """One value as text, or None where it is absent or blank."""
    value = dataset.get(keyword)
    return str(value).strip() or None if value is not None else None


def _refuse_what_is_no_single_grey_slice(dataset: Dataset) -> None:
    refuse_size(int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0))
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        message = f"holds {frames} frames; expected one slice: export the slice that is meant."
        raise ImageFault(message)
    interpretation = text(dataset, "PhotometricInterpretation") or "nothing"
    if interpretation not in ("MONOCHROME1", "MONOCHROME2"):
        message = f"holds {interpretation} pixels; expected grey (MONOCHROME1 or MONOCHROME2)."
        raise ImageFault(message)


def _stored_values(dataset: Dataset) -> NDArray[Any]:
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax.is_compressed and not get_decoder(syntax).is_available:
        message = (
            f"is compressed as {syntax.name}, which no installed decoder reads; "
            "write it uncompressed (for instance gdcmconv --raw, or dcmdjpeg)."
        )
        raise ImageFault(message)
    if not syntax.is_compressed:
        expected = dataset.Rows * dataset.Columns * dataset.BitsAllocated // 8
        if len(dataset.PixelData) < expected:
            message = (
                f"is cut short: {len(dataset.PixelData)} of {expected} bytes of pixels; copy it "
                "again."
            )
            raise ImageFault(message)
    values: NDArray[Any] = dataset.pixel_array
    return values


def _range(dataset: Dataset) -> tuple[float, float] | None:
    """What the stored bits can hold, in the unit after the modality LUT."""
    bits = int(dataset.BitsStored)
    signed = int(dataset.get("PixelRepresentation") or 0) == 1
    ends = np.array([[-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1]])
    low, high = sorted(apply_modality_lut(ends, dataset).ravel().tolist())
    return (float(low), float(high)) if high > low else None


def _spacing(dataset: Dataset) -> tuple[float | None, float | None]:
    """Millimetres between rows and between columns; a radiograph's are at its detector."""
    values = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing") or ()
    millimetres = [float(value) for value in values]
    if len(millimetres) != 2 or not all(0 < v < math.inf for v in millimetres):  # noqa: PLR2004
        return None, None
    return millimetres[0], millimetres[1]
