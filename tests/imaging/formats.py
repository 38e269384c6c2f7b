"""One small picture in every format and variant that is read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid

from oncotrail.imaging.read import Kind
from tests.imaging.dicom_files import make_dicom, make_jpeg_dicom, make_multiframe

NOISE = np.random.default_rng(8).integers(0, 256, (32, 40), dtype=np.uint8)
DEEP = NOISE.astype(np.uint16) * 200
COLOUR = np.dstack([NOISE, NOISE[::-1], NOISE[:, ::-1]])
TWELVE_BITS = NOISE.astype(np.uint16) * 16


def raster(picture: NDArray[Any], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def pages(*pictures: NDArray[Any], **options: Any) -> bytes:
    first, *others = (Image.fromarray(picture) for picture in pictures)
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=others, **options)
    return buffer.getvalue()


def nifti(values: NDArray[Any], kind: type = nibabel.Nifti1Image) -> bytes:
    data: bytes = kind(values, np.diag([0.7, 0.8, 2, 1])).to_bytes()
    return data


def _compressed(syntax: str) -> Callable[[], bytes]:
    return lambda: make_dicom(TWELVE_BITS, change=lambda dataset: dataset.compress(syntax))


def _jpeg(syntax: str) -> Callable[[], bytes]:
    return lambda: make_jpeg_dicom(NOISE if syntax.endswith("50") else TWELVE_BITS, syntax)


FORMATS: dict[str, tuple[Kind, Callable[[], bytes]]] = {
    "DICOM": ("DICOM", lambda: make_dicom(TWELVE_BITS)),
    "DICOM implicit": ("DICOM", lambda: make_dicom(TWELVE_BITS, uid.ImplicitVRLittleEndian)),
    "DICOM big endian": ("DICOM", lambda: make_dicom(TWELVE_BITS, uid.ExplicitVRBigEndian)),
    "DICOM deflated": (
        "DICOM",
        lambda: make_dicom(TWELVE_BITS, uid.DeflatedExplicitVRLittleEndian),
    ),
    "DICOM RLE": ("DICOM", _compressed(uid.RLELossless)),
    "DICOM JPEG 2000": ("DICOM", _compressed(uid.JPEG2000Lossless)),
    "DICOM JPEG": ("DICOM", _jpeg(uid.JPEGBaseline8Bit)),
    "DICOM JPEG 12 bits": ("DICOM", _jpeg(uid.JPEGExtended12Bit)),
    "DICOM JPEG lossless": ("DICOM", _jpeg(uid.JPEGLosslessSV1)),
    "DICOM JPEG-LS": ("DICOM", _jpeg(uid.JPEGLSLossless)),
    "DICOM frames": (
        "DICOM",
        lambda: make_multiframe(np.stack([TWELVE_BITS] * 3), heights=[0, 1, 2]),
    ),
    "PNG": ("PNG", lambda: raster(NOISE, "PNG")),
    "PNG 16 bits": ("PNG", lambda: raster(DEEP, "PNG")),
    "PNG colour": ("PNG", lambda: raster(COLOUR, "PNG")),
    "JPEG": ("JPEG", lambda: raster(NOISE, "JPEG")),
    "JPEG progressive": ("JPEG", lambda: raster(COLOUR, "JPEG", progressive=True)),
    "TIFF": ("TIFF", lambda: raster(NOISE, "TIFF")),
    "TIFF LZW": ("TIFF", lambda: raster(NOISE, "TIFF", compression="tiff_lzw")),
    "TIFF deflate, 16 bits": (
        "TIFF",
        lambda: raster(DEEP, "TIFF", compression="tiff_adobe_deflate"),
    ),
    "TIFF colour": ("TIFF", lambda: raster(COLOUR, "TIFF")),
    "TIFF pages": ("TIFF", lambda: pages(NOISE, NOISE[::-1], NOISE[:, ::-1])),
    "NIfTI": ("NIfTI", lambda: nifti(DEEP.astype(np.int16))),
    "NIfTI packed": ("NIfTI", lambda: gzip.compress(nifti(DEEP.astype(np.int16)))),
    "NIfTI-2 volume": (
        "NIfTI",
        lambda: nifti(np.dstack([NOISE] * 3).astype(np.float32), nibabel.Nifti2Image),
    ),
}
