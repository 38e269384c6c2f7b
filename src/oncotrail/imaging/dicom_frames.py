"""The frames of a DICOM dataset as numbers: stored values -> the unit of the modality.

Frames come one at a time, so that a long series is never in memory twice. In a file of several
frames the functional groups say what holds for each: what a frame says of itself goes before what
is shared, and that before the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID

from oncotrail.errors import ImageFault
from oncotrail.imaging import jpeg_frames
from oncotrail.imaging.voi import Mirrored, Voi, voi_of

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = (
    "PALETTE COLOR",
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
)


@dataclass(frozen=True)
class Frame:
    """One frame in the unit of the modality, dark-is-low, and what its values can be."""

    pixels: NDArray[np.float32]  # rows x columns [x 3]
    full_range: tuple[float, float] | None
    voi: Voi | None


def group(dataset: Dataset, frame: int, name: str) -> Dataset:
    """What holds for a frame: its own functional group, the shared one, or the dataset itself."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    for items in (per_frame[frame : frame + 1], shared[:1]):
        found = items[0].get(name) if len(items) else None
        if found:
            return found[0]  # type: ignore[no-any-return]
    return dataset


def frames_of(dataset: Dataset, frames: int, *, hounsfield: bool) -> Iterator[Frame]:
    """Every frame in turn, or an `ImageFault`."""
    interpretation = dataset.get("PhotometricInterpretation") or "nothing"
    if interpretation not in (*GREY, *COLOUR):
        expected = ", ".join((*GREY, *COLOUR))
        raise ImageFault(f"holds {interpretation} pixels", f"export it as one of {expected}")
    for number, stored in enumerate(_stored(dataset, frames)):
        if interpretation in GREY:
            yield _grey(dataset, number, stored, hounsfield=hounsfield)
        else:
            yield _colour(dataset, stored)


def _stored(dataset: Dataset, frames: int) -> Iterator[NDArray[Any]]:
    _refuse_shifted_bits(dataset)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    plugin = jpeg_frames.decoder_of(syntax)
    if syntax.is_encapsulated:
        jpeg_frames.refuse_frames(dataset, syntax, frames)
    else:
        expected, found = get_expected_length(dataset), len(dataset.PixelData)
        if found < expected:
            said = f"is cut short: {found} of {expected} bytes of pixels"
            raise ImageFault(said, "copy it again")
    found = 0
    for values, _ in get_decoder(syntax).iter_array(dataset, decoding_plugin=plugin):
        found += 1
        yield values
    if found != frames:
        raise ImageFault(f"holds {found} frames and announces {frames}", "copy it again")


def _refuse_shifted_bits(dataset: Dataset) -> None:
    """Values stand in the lowest bits; where an old file has them higher, no decoder undoes it."""
    stored, highest = int(dataset.BitsStored), dataset.get("HighBit")
    if highest is not None and int(highest) != stored - 1:
        raise ImageFault(
            f"has {stored} bits a pixel, of which the highest is bit {int(highest)} (HighBit)",
            f"export it again with the highest at {stored - 1}",
        )


def _grey(dataset: Dataset, number: int, stored: NDArray[Any], *, hounsfield: bool) -> Frame:
    """Stored values -> modality LUT (Hounsfield units, for CT) -> dark-is-low.

    MONOCHROME1 shows low values bright. That is a fact about the display: a Hounsfield unit stays
    what it is, and a radiograph is inverted within the range that its bits can hold.
    """
    transform = group(dataset, number, "PixelValueTransformationSequence")
    shown = voi_of(group(dataset, number, "FrameVOILUTSequence"))
    if hounsfield:
        _refuse_no_hounsfield(transform)
    pixels = apply_modality_lut(stored, transform).astype(np.float32)
    full_range = None if hounsfield else _range(dataset, transform)
    if full_range and dataset.PhotometricInterpretation == "MONOCHROME1":
        total = sum(full_range)
        pixels = np.float32(total) - pixels
        return Frame(pixels, full_range, Mirrored(shown, total) if shown else None)
    return Frame(pixels, full_range, shown)


def _refuse_no_hounsfield(transform: Dataset) -> None:
    """A CT file whose stored values become Hounsfield units nowhere, or some other unit."""
    table = transform.get("ModalityLUTSequence")
    scaled = all(transform.get(name) is not None for name in ("RescaleSlope", "RescaleIntercept"))
    if not table and not scaled:
        raise ImageFault(
            "is CT and does not say how its values become Hounsfield units (RescaleSlope and "
            "RescaleIntercept)",
            "export it again with both, from the scanner or the archive",
        )
    said = table[0].get("ModalityLUTType") if table else transform.get("RescaleType")
    if str(said or "").strip() not in ("", "HU"):
        raise ImageFault(
            "is CT in another unit than Hounsfield's", "export it with RescaleType HU, or blank"
        )


def _colour(dataset: Dataset, stored: NDArray[Any]) -> Frame:
    """Red, green and blue; pydicom has converted what was luminance and chrominance."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        painted = apply_color_lut(stored, dataset)[..., :3]
        white = float(np.iinfo(painted.dtype).max)
        return Frame(painted.astype(np.float32), (0.0, white), None)
    return Frame(stored.astype(np.float32), (0.0, float(2 ** int(dataset.BitsStored) - 1)), None)


def _range(dataset: Dataset, transform: Dataset) -> tuple[float, float] | None:
    """What the stored bits can hold, in the unit after the modality LUT."""
    bits = int(dataset.BitsStored)
    signed = int(dataset.get("PixelRepresentation") or 0) == 1
    ends = np.array([[-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1]])
    low, high = sorted(apply_modality_lut(ends, transform).ravel().tolist())
    return (float(low), float(high)) if high > low else None
