"""PNG, JPEG and TIFF bytes -> `Scan`: upright, in grey or colour; a TIFF's pages are slices."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import COLOURS, Scan, as_pixels, refuse_size

Raster = Literal["PNG", "JPEG", "TIFF"]

OPAQUE = 255
UPRIGHT = 1
JPEG_SCAN, JPEG_END = b"\xff\xda", b"\xff\xd9"
MOST_PAGES = 4096
BYTE, SIXTEEN_BITS = (0.0, 255.0), (0.0, 65535.0)
OF_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def scan_of(data: bytes, kind: Raster) -> Scan:
    """Decode with that decoder and no other, so that a file cannot choose what parses it.

    Colours of 16 bits come as their upper 8: Pillow reads no more.
    """
    image = _opened(data, kind)
    if kind == "JPEG" and data.rfind(JPEG_END) < data.rfind(JPEG_SCAN):
        raise ImageFault("is cut short: a JPEG scan has no end", "copy it again")
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and kind != "TIFF":
        raise ImageFault(f"holds {frames} frames", "expected one image; save the one that is meant")
    if frames > MOST_PAGES:
        raise ImageFault(f"holds {frames} pages", f"expected {MOST_PAGES} slices at most")
    refuse_size(image.height, image.width, frames)
    pages = list(_pages(image, frames, kind))
    if len({(page.shape, page.dtype) for page in pages}) > 1:
        raise ImageFault("holds pages of different sizes or kinds", "save the slices of one volume")
    pixels = np.stack(pages)
    full_range = _full_range(pixels.dtype)
    return Scan(
        pixels=as_pixels(pixels),
        full_range=full_range,
        grey=full_range is not None or pixels.ndim == COLOURS,
    )


def orientation_of(data: bytes, kind: Raster) -> int:
    """How EXIF or XMP say the picture is turned: 1 is upright."""
    said = _opened(data, kind).getexif().get(ExifTags.Base.Orientation, UPRIGHT)
    return int(said) if said in range(UPRIGHT, 9) else UPRIGHT


def _opened(data: bytes, kind: Raster) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageFault(
            "says it has more pixels than any scan", "export it at its own size"
        ) from None
    except UnidentifiedImageError:
        raise ImageFault(
            f"cannot be read as {kind}, though it begins like one", "export it again"
        ) from None


def _pages(image: Image.Image, frames: int, kind: Raster) -> Iterator[NDArray[Any]]:
    for page in range(frames):
        if frames > 1:
            image.seek(page)
        refuse_size(image.height, image.width, frames)
        if image.has_transparency_data and _least_alpha(image) < OPAQUE:
            raise ImageFault(
                "has transparent pixels, under which anything may lie", "export it without alpha"
            )
        yield _values(ImageOps.exif_transpose(image), kind)


def _values(image: Image.Image, kind: Raster) -> NDArray[Any]:
    """Rows x columns [x 3], of the type that says how many levels there are."""
    if image.mode in OF_SIXTEEN_BITS or (image.mode == "I" and kind == "PNG"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):  # 32 bits or signed: what is black and white, nobody says
        return np.asarray(image).astype(np.float32)
    return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB"))


def _full_range(kind: np.dtype[Any]) -> tuple[float, float] | None:
    if kind == np.uint8:
        return BYTE
    return SIXTEEN_BITS if kind == np.uint16 else None


def _least_alpha(image: Image.Image) -> float:
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return float(least)  # type: ignore[arg-type]  # one band: a pair of numbers
