"""Small images made by hand."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

AXIAL = [1, 0, 0, 0, 1, 0]


def _dataset(stored: NDArray[Any], tags: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.1"
    dataset.Modality = "CT"
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.SamplesPerPixel = 1
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelSpacing = [0.5, 0.75]
    dataset.PixelData = stored.astype("<u2").tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def make_dicom(
    stored: NDArray[Any] | None = None,
    syntax: str = ExplicitVRLittleEndian,
    change: Callable[[Dataset], object] = lambda _: None,
    **tags: Any,
) -> bytes:
    """A CT slice (or frames of one) as DICOM bytes; `tags` override, `change` may do the rest."""
    stored = np.arange(48).reshape(6, 8) * 40 if stored is None else stored
    dataset = _dataset(stored, tags)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == uid.ExplicitVRBigEndian and "PixelData" not in tags:
        dataset.PixelData = stored.astype(">u2").tobytes()
    change(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


CODED: dict[str, Callable[[NDArray[Any]], bytes]] = {
    uid.JPEGBaseline8Bit: lambda a: imagecodecs.jpeg8_encode(a.astype(np.uint8), level=98),
    uid.JPEGExtended12Bit: lambda a: imagecodecs.jpeg8_encode(a, level=98, bitspersample=12),
    uid.JPEGLossless: lambda a: imagecodecs.jpeg8_encode(
        a, lossless=True, bitspersample=12, predictor=4
    ),
    uid.JPEGLosslessSV1: lambda a: imagecodecs.jpeg8_encode(
        a, lossless=True, bitspersample=12, predictor=1
    ),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEGLSNearLossless: lambda a: imagecodecs.jpegls_encode(a, level=2),
}


def make_jpeg_dicom(stored: NDArray[Any], syntax: str, **tags: Any) -> bytes:
    """A slice, or frames, in one of the JPEG syntaxes."""
    frames = stored if stored.ndim == 3 else stored[np.newaxis]
    coded = encapsulate([CODED[syntax](frame.astype(np.uint16)) for frame in frames])
    if syntax == uid.JPEGBaseline8Bit:
        tags = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, **tags}
    return make_dicom(stored, syntax, PixelData=coded, **tags)


def item(**tags: Any) -> Items:
    """A sequence of one item."""
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return Items([dataset])


def make_multiframe(
    frames: NDArray[Any],
    heights: Sequence[float],
    slopes: Sequence[float] | None = None,
    **tags: Any,
) -> bytes:
    """An enhanced CT: places, and slopes where given, in functional groups."""

    def group(dataset: Dataset) -> None:
        per_frame = []
        for number, height in enumerate(heights):
            one = Dataset()
            one.PlanePositionSequence = item(ImagePositionPatient=[0, 0, height])
            if slopes:
                one.PixelValueTransformationSequence = item(
                    RescaleSlope=slopes[number], RescaleIntercept=-1024, RescaleType="HU"
                )
            per_frame.append(one)
        dataset.PerFrameFunctionalGroupsSequence = Items(per_frame)
        dataset.SharedFunctionalGroupsSequence = item(
            PlaneOrientationSequence=item(ImageOrientationPatient=AXIAL),
            PixelMeasuresSequence=item(PixelSpacing=[0.5, 0.75], SliceThickness=2),
        )
        del dataset.PixelSpacing

    return make_dicom(frames, change=group, **tags)


def write_series(
    folder: Path,
    volume: NDArray[Any],
    heights: Sequence[float],
    names: Sequence[str] | None = None,
    **tags: Any,
) -> Path:
    """Each slice of slices x rows x columns as a file, at its height."""
    folder.mkdir(parents=True, exist_ok=True)
    names = names or [f"{number}.dcm" for number in range(len(volume))]
    for number, (name, height) in enumerate(zip(names, heights, strict=True)):
        said = {
            "SOPInstanceUID": f"1.2.3.4.{number}",
            "ImagePositionPatient": [0, 0, height],
            "ImageOrientationPatient": AXIAL,
            "InstanceNumber": 1,
            **tags,
        }
        (folder / name).write_bytes(make_dicom(volume[number], **said))
    return folder
