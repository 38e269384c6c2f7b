"""PNG and JPEG bytes -> `Scan`: grey, upright, one frame."""

from __future__ import annotations

import io
import warnings
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan, pixels_of_single_slice, refuse_size

OPAQUE = 255
UPRIGHT = 1


def scan_of(data: bytes, kind: Literal["PNG", "JPEG"]) -> Scan:
    """Decode with that decoder and no other, so that a file cannot choose what parses it."""
    image = _opened(data, kind)
    refuse_size(image.height, image.width)
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        message = f"holds {frames} frames; expected one image."
        raise ImageFault(message)
    if image.has_transparency_data and _least_alpha(image) < OPAQUE:
        message = "has transparent pixels, under which anything may lie; export it without alpha."
        raise ImageFault(message)
    upright = ImageOps.exif_transpose(image)
    wide = upright.mode.startswith("I")
    grey = upright if wide else upright.convert("L")
    return Scan(
        pixels=pixels_of_single_slice(np.asarray(grey)),
        full_range=(0.0, 65535.0 if wide else 255.0),
        grey=True,
    )


def orientation_of(data: bytes, kind: Literal["PNG", "JPEG"]) -> int:
    """How EXIF or XMP say the picture is turned: 1 is upright."""
    said = _opened(data, kind).getexif().get(ExifTags.Base.Orientation, UPRIGHT)
    return int(said) if said in range(UPRIGHT, 9) else UPRIGHT


def _opened(data: bytes, kind: Literal["PNG", "JPEG"]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        message = "says it has more pixels than any scan; export it at its own size."
        raise ImageFault(message) from None
    except UnidentifiedImageError:
        message = f"cannot be read as {kind}, though it begins like one; export it again."
        raise ImageFault(message) from None


def _least_alpha(image: Image.Image) -> float:
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return float(least)  # type: ignore[arg-type]  # one band: a pair of numbers
