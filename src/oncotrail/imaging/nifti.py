"""NIfTI bytes -> `Scan`: a slice or a volume, turned as DICOM would show it."""

from __future__ import annotations

import gzip
import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan, as_pixels, refuse_size

GZIP = b"\x1f\x8b"
NIFTI_2 = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")  # its header's size, 540, in either order
MOST_BYTES = 2**32
RIGHT, FRONT, UP = 0, 1, 2  # NIfTI's axes run this way
AXES = 3


def unpacked(data: bytes) -> bytes:
    """The NIfTI bytes themselves; a gzip bomb is refused before it fills the memory."""
    if not data.startswith(GZIP):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        plain = file.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        raise ImageFault(
            f"unpacks to more than {MOST_BYTES:,} bytes", "export the part that is meant"
        )
    return plain


def image_of(plain: bytes) -> Any:
    """The nibabel image in these unpacked bytes: NIfTI-1 or NIfTI-2, header and data together."""
    import nibabel

    kind = nibabel.Nifti2Image if plain[:4] in NIFTI_2 else nibabel.Nifti1Image
    return kind.from_bytes(plain)


def scan_of(data: bytes) -> Scan:
    """Slices as DICOM shows them: the patient's right or front at the left, head or front on top.

    NIfTI's axes run right, front and up, so each of the two in the plane is turned round. A volume
    is cut along the axis that its file stores last, as scanners write it, and its slices run as
    those of DICOM: up, to the right, or to the back.
    """
    image = image_of(unpacked(data))
    across = _across(image)
    values, spacing, normal = _canonical(image, across)
    rows, columns = (axis for axis in (UP, FRONT, RIGHT) if axis != normal)
    turned = values.transpose(normal, rows, columns)
    slices = turned[:, ::-1, ::-1] if normal != FRONT else turned[::-1, ::-1, ::-1]
    bytes_of_grey = slices.dtype == np.uint8
    return Scan(
        pixels=as_pixels(slices),
        row_spacing=spacing[rows] or None,
        column_spacing=spacing[columns] or None,
        slice_spacing=(spacing[normal] or None) if len(slices) > 1 else None,
        full_range=(0.0, 255.0) if bytes_of_grey else None,
        grey=bytes_of_grey,
    )


def _across(image: Any) -> tuple[int, ...]:
    """The sizes along the three axes of space, after everything odd was refused."""
    shape = tuple(int(size) for size in image.shape)
    sizes = " x ".join(map(str, shape))
    if len(shape) < 2 or max(shape[AXES:], default=1) > 1:  # noqa: PLR2004
        raise ImageFault(f"has axes of {sizes}", "expected a slice or a volume; save the one meant")
    if min(shape) < 1 or sum(size > 1 for size in shape[:AXES]) < 2:  # noqa: PLR2004
        raise ImageFault(f"is a line or a point of {sizes}", "save the slice that is meant")
    if image.get_data_dtype().fields:
        raise ImageFault("holds colours", "save it in grey, or as PNG")
    if image.get_data_dtype().kind == "c":
        raise ImageFault("holds complex numbers", "save their magnitude, or the part that is meant")
    across = (*shape, 1)[:AXES]
    slices, rows, columns = sorted(across)
    refuse_size(rows, columns, slices)
    _refuse_short(image, math.prod(shape))
    return across


def _refuse_short(image: Any, count: int) -> None:
    """More values announced than there are bytes: refused before memory is asked for."""
    source = image.dataobj.file_like
    begin = int(image.dataobj.offset)
    source.seek(0, io.SEEK_END)
    found, expected = source.tell() - begin, count * image.get_data_dtype().itemsize
    if found < expected:
        raise ImageFault(f"is cut short: {found} of {expected} bytes of values", "copy it again")


def _canonical(image: Any, across: tuple[int, ...]) -> tuple[NDArray[Any], list[float], int]:
    """The values along right, front and up, the millimetres between them, and the slices' axis."""
    import nibabel.orientations

    orientations: Any = nibabel.orientations  # its functions carry no types
    orientation = orientations.io_orientation(image.affine)
    if not np.isfinite(orientation).all():
        raise ImageFault(
            "has an orientation that does not span three axes", "save it with a valid affine"
        )
    values = np.asanyarray(image.dataobj).reshape(across)
    zooms = (*image.header.get_zooms(), 1.0)[:AXES]
    spacing = [0.0] * AXES
    targets = orientation[:, 0].astype(int).tolist()
    for axis, target in enumerate(targets):
        spacing[target] = float(zooms[axis])
    flat = [target for target, size in zip(targets, across, strict=True) if size == 1]
    normal = flat[0] if flat else targets[-1]
    return orientations.apply_orientation(values, orientation), spacing, normal
