"""PNG, JPEG and TIFF bytes -> `Scan`: upright, in grey or colour; a TIFF's pages are slices."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
BITS_OF_A_BYTE = 8
BYTE, TWELVE_BITS, SIXTEEN_BITS = (0.0, 255.0), (0.0, 4095.0), (0.0, 65535.0)
OF_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
BITS, PHOTOMETRIC, SAMPLES, PLANES, NUMBERS = 258, 262, 277, 284, 339  # tags of a TIFF
WHITE_IS_ZERO, APART, UNSIGNED = 0, 2, 1  # of photometric, of planes and of numbers


@dataclass(frozen=True, eq=False)
class _Page:
    """Rows x columns [x 3], and which of its values are black and white, where that is known."""

    pixels: NDArray[Any]
    full_range: tuple[float, float] | None


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
    if len({(page.pixels.shape, page.pixels.dtype, page.full_range) for page in pages}) > 1:
        raise ImageFault("holds pages of different sizes or kinds", "save the slices of one volume")
    pixels, full_range = np.stack([page.pixels for page in pages]), pages[0].full_range
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


def _pages(image: Image.Image, frames: int, kind: Raster) -> Iterator[_Page]:
    for page in range(frames):
        if frames > 1:
            image.seek(page)
        refuse_size(image.height, image.width, frames)
        tags: Mapping[int, Any] = getattr(image, "tag_v2", {})  # a TIFF's
        _refuse_what_pillow_misreads(image.mode, tags)
        if image.has_transparency_data and _least_alpha(image) < OPAQUE:
            raise ImageFault(
                "has transparent pixels, under which anything may lie", "export it without alpha"
            )
        yield _page(ImageOps.exif_transpose(image), kind, tags)


def _refuse_what_pillow_misreads(mode: str, tags: Mapping[int, Any]) -> None:
    """It takes colours of 16 bits that lie in planes for bytes, and no float for white at 0."""
    samples = tags.get(SAMPLES, 1)
    if tags.get(PLANES) == APART and samples > 1 and max(tags.get(BITS, (1,))) > BITS_OF_A_BYTE:
        raise ImageFault(
            "holds colours of 16 bits, each in a plane of its own",
            "save it interleaved (PlanarConfiguration 1), or with 8 bits",
        )
    if mode in ("I", "F") and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        raise ImageFault(
            "says that 0 is white, and not which of its values is black",
            "save it with black as 0 (PhotometricInterpretation 1)",
        )


def _page(image: Image.Image, kind: Raster, tags: Mapping[int, Any]) -> _Page:
    """Its values as the file means them: dark is low, and a sign only where there is one."""
    if image.mode in OF_SIXTEEN_BITS or (image.mode == "I" and kind == "PNG"):
        deep = np.asarray(image).astype(np.uint16)
        if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:  # Pillow turns only what has 8 bits
            deep = np.uint16(SIXTEEN_BITS[1]) - deep
        return _Page(deep, TWELVE_BITS if tags.get(BITS) == (12,) else SIXTEEN_BITS)
    if image.mode in ("I", "F"):  # 32 bits or signed: what is black and white, nobody says
        values = np.asarray(image)
        if image.mode == "I" and tags.get(NUMBERS, (UNSIGNED,)) == (UNSIGNED,):
            values = values.view(np.uint32)  # Pillow knows 32 bits only with a sign
        return _Page(values.astype(np.float32), None)
    bytes_of = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return _Page(np.asarray(image.convert(bytes_of)), BYTE)


def _least_alpha(image: Image.Image) -> float:
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return float(least)  # type: ignore[arg-type]  # one band: a pair of numbers
