"""NIfTI bytes -> `Scan`: one slice, turned as DICOM would show it."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan, pixels_of_single_slice, refuse_size

GZIP = b"\x1f\x8b"
NIFTI_2 = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")  # its header's size, 540, in either order
MOST_BYTES = 2**30


def unpacked(data: bytes) -> bytes:
    """The NIfTI bytes themselves; a gzip bomb is refused before it fills the memory."""
    if not data.startswith(GZIP):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        plain = file.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        message = f"unpacks to more than {MOST_BYTES:,} bytes; expected one slice."
        raise ImageFault(message)
    return plain


def image_of(plain: bytes) -> Any:
    """The nibabel image in these unpacked bytes: NIfTI-1 or NIfTI-2, header and data together."""
    import nibabel

    kind = nibabel.Nifti2Image if plain[:4] in NIFTI_2 else nibabel.Nifti1Image
    return kind.from_bytes(plain)


def scan_of(data: bytes) -> Scan:
    """The slice as DICOM shows it: the patient's right or front at the left, head or front on top.

    NIfTI's axes run right, front and up, so each of the two in the plane is turned round.
    A volume is refused: which of its slices is meant, only a person can say.
    """
    image = image_of(unpacked(data))
    _refuse_volume(image.shape)
    plane, spacing = _canonical(image)
    lying = [axis for axis, size in enumerate(plane.shape) if size > 1]
    picture = plane.squeeze()[::-1, ::-1].T
    bytes_of_grey = picture.dtype == np.uint8
    return Scan(
        pixels=pixels_of_single_slice(picture),
        row_spacing=spacing[lying[1]] or None,
        column_spacing=spacing[lying[0]] or None,
        full_range=(0.0, 255.0) if bytes_of_grey else None,
        grey=bytes_of_grey,
    )


def _refuse_volume(shape: tuple[int, ...]) -> None:
    thick = [size for size in shape if size > 1]
    if len(thick) != 2 or len(shape) < 2 or max(shape[3:], default=1) > 1:  # noqa: PLR2004
        sizes = " x ".join(map(str, shape))
        message = f"is a volume of {sizes}; expected one slice: save the slice that is meant."
        raise ImageFault(message)
    refuse_size(*thick)


def _canonical(image: Any) -> tuple[Any, list[float]]:
    """The values along right, front and up, and the millimetres between them."""
    import nibabel.orientations

    orientations: Any = nibabel.orientations  # its functions carry no types
    orientation = orientations.io_orientation(image.affine)
    if not np.isfinite(orientation).all():
        message = "has an orientation that does not span three axes; save it with a valid affine."
        raise ImageFault(message)
    across = (*image.shape, 1)[:3]
    values = np.asanyarray(image.dataobj).reshape(across)
    zooms = (*image.header.get_zooms(), 1.0)[:3]
    spacing = [0.0, 0.0, 0.0]
    for axis, target in enumerate(orientation[:, 0].astype(int).tolist()):
        spacing[target] = float(zooms[axis])
    return orientations.apply_orientation(values, orientation), spacing
