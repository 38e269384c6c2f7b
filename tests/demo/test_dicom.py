import csv
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from oncotrail.demo.scanner import SCANNERS


def slices_of(written: Path, view: str) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted((written / "cohort/images" / view).iterdir())]


@pytest.fixture(scope="module")
def t4(written: Path) -> list[Dataset]:
    return slices_of(written, "t4")


def test_files_are_ct_slices_as_the_standard_wants_them(t4: list[Dataset]) -> None:
    for dataset in t4:
        assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert dataset.SOPClassUID == pydicom.uid.CTImageStorage
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.pixel_array.shape == (256, 256)
        assert dataset.BurnedInAnnotation == "NO"


def test_two_scanners_store_numbers_differently(t4: list[Dataset]) -> None:
    stored = {
        (d.ManufacturerModelName, d.DeviceSerialNumber, d.RescaleSlope, d.RescaleIntercept)
        for d in t4
    }
    assert stored == {(s.model, s.serial, s.slope, s.intercept) for s in SCANNERS}
    for dataset in t4:
        hu = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        assert hu[:10, :10].mean() == pytest.approx(-1000, abs=30)
        assert 300 < hu.max() < 1200


def test_a_patients_two_slices_are_of_one_examination(written: Path) -> None:
    for t4, t11 in zip(slices_of(written, "t4"), slices_of(written, "t11"), strict=True):
        assert t4.PatientID == t11.PatientID
        assert t4.StudyInstanceUID == t11.StudyInstanceUID
        assert t4.FrameOfReferenceUID == t11.FrameOfReferenceUID
        assert t4.SOPInstanceUID != t11.SOPInstanceUID
        assert t4.ImagePositionPatient[2] > t11.ImagePositionPatient[2]


def test_identity_hides_where_tools_do_not_look(t4: list[Dataset]) -> None:
    for dataset in t4:
        name = str(dataset.PatientName)
        private = dataset.private_block(0x0009, "INVENTED SCANNER 1.0")
        assert name in private[0x01].value
        hidden = dataset.private_block(0x0029, "INVENTED ARCHIVE 1.0")[0x10].value
        assert str(hidden[0].PatientName) == name
        assert name in dataset.RequestAttributesSequence[0].RequestedProcedureDescription
        assert name in dataset.StudyDescription


def test_file_and_table_name_the_same_patient_and_hospital(
    written: Path, t4: list[Dataset]
) -> None:
    with (written / "cohort/clinical.csv").open(encoding="utf-8") as file:
        hospitals = {row["patient_id"]: row["hospital"] for row in csv.DictReader(file)}
    assert {d.PatientID for d in t4} == set(hospitals)
    for dataset in t4:
        assert dataset.InstitutionName.startswith(hospitals[dataset.PatientID])
