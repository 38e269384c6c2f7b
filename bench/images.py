"""Made images for the benchmarks: slices of a body that was never scanned, as PNG and as CT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 512
AIR, TISSUE = -1000, 40


def slices(count: int, side: int, seed: int) -> NDArray[np.int16]:
    """Hounsfield units: an ellipse of soft tissue, organs and noise in it; none like another."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    pictures = np.full((count, side, side), AIR, np.int16)
    for picture in pictures:
        body = (rows / random.uniform(0.7, 0.9)) ** 2 + (columns / random.uniform(0.8, 0.95)) ** 2
        values = np.full((side, side), TISSUE, np.float32)
        for _ in range(8):
            row, column = random.uniform(-0.5, 0.5, 2)
            near = (rows - row) ** 2 + (columns - column) ** 2 < random.uniform(0.05, 0.25) ** 2
            values[near] += random.uniform(-80, 120)
        values += random.normal(scale=12, size=values.shape).astype(np.float32)
        picture[body < 1] = values[body < 1].astype(np.int16)
    return pictures


def write_png(folder: Path, count: int, seed: int, side: int = SIDE) -> list[Path]:
    """So many files, half in the folder `0` and half in `1`: so torchvision finds classes."""
    from PIL import Image

    paths = []
    for number in range(count):
        (units,) = slices(1, side, seed + number)
        grey = np.clip((units.astype(np.float32) + 160) * 255 / 400, 0, 255).astype(np.uint8)
        path = folder / str(number % 2) / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(path)
        paths.append(path)
    return paths


def write_ct(folder: Path, count: int, seed: int, side: int = SIDE) -> list[Path]:
    """So many single CT slices in DICOM, uncompressed, as a scanner sends them.

    Files beyond the first 64 show the same bodies with another noise: each has its own content,
    and ten thousand are made in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    bodies = slices(min(count, 64), side, seed)
    paths = []
    for number in range(count):
        units = bodies[number % len(bodies)]
        if number >= len(bodies):
            units = units + random.integers(-3, 4, units.shape, dtype=np.int16)
        paths.append(folder / f"{number:05d}.dcm")
        _write_dicom(paths[-1], units, number)
    return paths


def _write_dicom(path: Path, units: NDArray[np.int16], number: int) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
    image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    image.Modality, image.PatientID = "CT", f"P{number:05d}"
    image.Rows, image.Columns = units.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.RescaleSlope, image.RescaleIntercept = 1, -1024
    image.PixelSpacing = [0.7, 0.7]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [0, 0, number]
    image.PixelData = (units + 1024).astype("<u2").tobytes()
    image.save_as(path, enforce_file_format=True)
