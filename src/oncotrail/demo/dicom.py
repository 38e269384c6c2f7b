"""One slice as a hospital's archive would hand it over: DICOM, CT Image Storage, full of identity.

Besides the names and dates that every archive writes, the file holds what de-identification tools
like to miss: a private block, a private sequence with the name inside, a public sequence with the
order's number, free text that repeats the name.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from oncotrail.demo.canvas import SIDE
from oncotrail.demo.identities import Identity, uid
from oncotrail.demo.scanner import Scanner

VIEWS: Final = {  # view -> (instance number, position along the body in millimetres, description)
    "t4": (1, -120.0, "T4 pectoral"),
    "t11": (2, -295.0, "T11 visceral"),
}
_WRITER_UID: Final = uid("oncotrail demo writer")


def write(
    path: Path, pixels: NDArray[np.int16], who: Identity, scanner: Scanner, view: str
) -> None:
    """Write one slice; the same arguments make the same bytes."""
    dataset = Dataset()
    dataset.file_meta = _file_meta(who.image_uid(view))
    dataset.update(_of_scanner(scanner, view))
    dataset.update(_of_patient(who))
    dataset.update(_of_examination(who))
    dataset.SOPInstanceUID = who.image_uid(view)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.astype("<i2").tobytes()
    _hide_identity(dataset, who)
    dataset.save_as(path, enforce_file_format=True)
    # A sequence refers back to its dataset, so the pixels would wait for the garbage collector.
    del dataset.PixelData


def _file_meta(image_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(image_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_WRITER_UID)
    meta.ImplementationVersionName = "ONCOTRAIL_DEMO"
    return meta


@cache
def _of_scanner(scanner: Scanner, view: str) -> Dataset:
    """What is the same in every file of this scanner and view. Shared: do not change it."""
    number, position, description = VIEWS[view]
    corner = -scanner.spacing * (SIDE - 1) / 2
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.Modality = "CT"
    dataset.Manufacturer = scanner.manufacturer
    dataset.InstitutionName = scanner.institution
    dataset.StationName = scanner.station
    dataset.ManufacturerModelName = scanner.model
    dataset.DeviceSerialNumber = scanner.serial
    dataset.SeriesDescription = description
    dataset.BodyPartExamined = "CHEST"
    dataset.SeriesNumber = 2
    dataset.InstanceNumber = number
    dataset.SliceThickness = scanner.thickness
    dataset.KVP = 120
    dataset.ConvolutionKernel = scanner.kernel
    dataset.PatientPosition = "HFS"
    dataset.ImagePositionPatient = [corner, corner, position]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SliceLocation = position
    dataset.update(_pixel_format(scanner))
    return dataset


def _pixel_format(scanner: Scanner) -> Dataset:
    dataset = Dataset()
    dataset.BurnedInAnnotation = "NO"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelSpacing = [scanner.spacing, scanner.spacing]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.RescaleIntercept, dataset.RescaleSlope = scanner.intercept, scanner.slope
    dataset.RescaleType = "HU"
    return dataset


def _of_patient(who: Identity) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = who.name
    dataset.PatientID = who.patient
    dataset.PatientBirthDate = _day(who.birth)
    dataset.PatientSex = "F"
    dataset.PatientAge = f"{(who.examined - who.birth).days // 365:03d}Y"
    dataset.PatientAddress = who.address
    return dataset


def _of_examination(who: Identity) -> Dataset:
    dataset = Dataset()
    for kind in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{kind}Date", _day(who.examined))
        setattr(dataset, f"{kind}Time", who.time)
    dataset.AccessionNumber = who.accession
    dataset.ReferringPhysicianName = who.referrer
    dataset.StudyDescription = f"CT chest and abdomen, {who.name}"
    dataset.StudyInstanceUID = who.study_uid
    dataset.SeriesInstanceUID = who.series_uid
    dataset.FrameOfReferenceUID = who.frame_uid
    dataset.StudyID = who.accession[-4:]
    return dataset


def _hide_identity(dataset: Dataset, who: Identity) -> None:
    """Put the name and the order's number where tools that remove known tags do not look."""
    order = Dataset()
    order.AccessionNumber = who.accession
    order.RequestedProcedureDescription = f"staging of {who.name}"
    dataset.RequestAttributesSequence = Sequence([order])
    block = dataset.private_block(0x0009, "INVENTED SCANNER 1.0", create=True)
    block.add_new(0x01, "LO", f"{who.name} {_day(who.birth)}")
    inner = Dataset()
    inner.PatientName = who.name
    inner.PatientID = who.patient
    unknown = dataset.private_block(0x0029, "INVENTED ARCHIVE 1.0", create=True)
    unknown.add_new(0x10, "SQ", Sequence([inner]))


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
