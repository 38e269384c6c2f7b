"""A de-identified image is the same picture, and nothing of the person is left."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from oncotrail.errors import DeidentificationRefused, ImageFault
from oncotrail.imaging.deidentify import Alias, deidentified, remapped_uid, shifted
from oncotrail.imaging.read import ImageFile, scan_of
from tests.imaging.dicom_files import make_dicom

ALIAS = Alias("P-ABCDEFGHIJ", -100, b"key of the patient")
NAME = "Xanthippe"  # stands wherever a person may stand


def clean(data: bytes, alias: Alias = ALIAS, *, checked_by_hand: bool = False) -> Dataset:
    result = deidentified(ImageFile("DICOM", data), alias, checked_by_hand=checked_by_hand)
    return dcmread(io.BytesIO(result.file.data))


def full_of_secrets(dataset: Dataset) -> None:
    """A name in every kind of place that a file has for one."""
    for keyword in ("PatientName", "OperatorsName", "InstitutionName", "PatientComments"):
        setattr(dataset, keyword, NAME)
    dataset.PatientID = dataset.AccessionNumber = dataset.StudyID = NAME
    dataset.StudyDescription = dataset.ImageComments = dataset.StationName = NAME
    dataset.PatientBirthDate, dataset.StudyDate, dataset.StudyTime = "19510101", "20200301", "1200"
    item = Dataset()
    item.RequestedProcedureDescription = NAME
    dataset.RequestAttributesSequence = Sequence([item])
    dataset.private_block(0x0009, "VENDOR", create=True).add_new(0x01, "LO", NAME)
    dataset.add_new(0x60003000, "OW", NAME.encode() + b" ")
    dataset.add_new(0xFFFCFFFC, "OB", NAME.encode() + b" ")
    lookup = Dataset()
    lookup.LUTDescriptor, lookup.LUTData = [4096, 0, 16], np.arange(4096, dtype="<u2").tobytes()
    lookup.LUTExplanation = NAME
    dataset.ModalityLUTSequence = Sequence([lookup])
    del dataset.RescaleSlope, dataset.RescaleIntercept
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.preamble = NAME.encode().ljust(128, b"\0")


def test_nothing_of_the_person_is_left() -> None:
    data = make_dicom(change=full_of_secrets)
    assert data.count(NAME.encode()) > 12
    result = deidentified(ImageFile("DICOM", data), ALIAS, checked_by_hand=False)
    for secret in (NAME, "19510101", "20200301", "1.2.3.4", "1.2.3.1"):
        assert secret.encode() not in result.file.data


def test_names_in_chinese_go_and_other_text_stays() -> None:
    data = make_dicom(SpecificCharacterSet="GB18030", PatientName="王小明", Manufacturer="东软")
    result = deidentified(ImageFile("DICOM", data), ALIAS, checked_by_hand=False)
    assert "王小明".encode("gb18030") not in result.file.data
    assert scan_of(result.file).manufacturer == "东软"


def test_the_log_names_tags_and_actions_and_no_value() -> None:
    result = deidentified(
        ImageFile("DICOM", make_dicom(change=full_of_secrets)), ALIAS, checked_by_hand=False
    )
    log = {(change.tag, change.keyword): change.action for change in result.changes}
    assert log["(0010,0010)", "PatientName"] == "pseudonym"
    assert log["(0008,0020)", "StudyDate"] == "shift date"
    assert log["(0010,0030)", "PatientBirthDate"] == "empty"
    assert log["(0020,000D)", "StudyInstanceUID"] == "remap uid"
    assert log["(0009,1001)", "private"] == "remove"
    assert log["(0040,0275)", "RequestAttributesSequence"] == "remove"
    assert log["(0028,3000)[0].(0028,3003)", "LUTExplanation"] == "remove"
    assert log["(0012,0062)", "PatientIdentityRemoved"] == "replace"
    assert NAME not in str(result.changes)
    assert "20200301" not in str(result.changes)


def test_the_file_says_that_and_how_it_was_done() -> None:
    dataset = clean(make_dicom(PatientName=NAME, PatientID="7"))
    assert dataset.PatientIdentityRemoved == "YES"
    assert "PS3.15" in dataset.DeidentificationMethod
    codes = [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]
    assert (dataset.PatientName, dataset.PatientID) == (ALIAS.pseudonym, ALIAS.pseudonym)
    assert "SourceApplicationEntityTitle" not in dataset.file_meta


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_bytes_of_the_pixels_are_untouched(syntax: str) -> None:
    data = make_dicom(syntax=syntax, change=full_of_secrets)
    assert clean(data).PixelData == dcmread(io.BytesIO(data)).PixelData
    assert clean(data).file_meta.TransferSyntaxUID == syntax


def test_compressed_pixels_stay_compressed_and_untouched() -> None:
    data = make_dicom(change=lambda dataset: dataset.compress(RLELossless))
    assert clean(data).PixelData == dcmread(io.BytesIO(data)).PixelData


def test_the_picture_is_the_same() -> None:
    data = make_dicom(change=full_of_secrets)
    before = scan_of(ImageFile("DICOM", data))
    after = scan_of(deidentified(ImageFile("DICOM", data), ALIAS, checked_by_hand=False).file)
    assert np.array_equal(before.pixels, after.pixels)
    assert (before.row_spacing, before.modality) == (after.row_spacing, after.modality)


def test_the_same_file_gives_the_same_bytes() -> None:
    data = make_dicom(change=full_of_secrets)
    one, two = (deidentified(ImageFile("DICOM", data), ALIAS, checked_by_hand=False) for _ in "ab")
    assert one == two


def test_uids_that_were_equal_stay_equal() -> None:
    """Two slices of one study still belong together, and to nobody else's."""
    one, two = clean(make_dicom()), clean(make_dicom(SOPInstanceUID="1.2.3.5"))
    assert one.StudyInstanceUID == two.StudyInstanceUID != "1.2.3"
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SOPInstanceUID == one.file_meta.MediaStorageSOPInstanceUID
    assert one.StudyInstanceUID.is_valid


def test_another_key_gives_other_uids() -> None:
    assert remapped_uid(b"one", "1.2.3") != remapped_uid(b"two", "1.2.3")
    assert len(remapped_uid(b"one", "1.2.3")) <= 64


def test_days_between_two_dates_of_a_patient_stay() -> None:
    dataset = clean(make_dicom(StudyDate="20200301", AcquisitionDate="20200311"))
    assert (dataset.StudyDate, dataset.AcquisitionDate) == ("20191122", "20191202")


@given(st.dates(), st.integers(-3650, -1))
def test_a_shifted_date_is_a_date_or_blank(date: dt.date, days: int) -> None:
    before = f"{date.year:04}{date:%m%d}"
    moved = shifted(before, days)
    assert moved == "" or (len(moved) == 8 and moved < before)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"BurnedInAnnotation": "YES"}, "BurnedInAnnotation is YES"),
        ({"RecognizableVisualFeatures": "YES"}, "RecognizableVisualFeatures is YES"),
        ({"Modality": "US"}, r"modality US \(ultrasound\)"),
        ({"Modality": "SC", "BurnedInAnnotation": "NO"}, "modality SC"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "a secondary capture"),
    ],
)
def test_pixels_that_may_show_a_name_are_refused(tags: dict[str, Any], why: str) -> None:
    with pytest.raises(DeidentificationRefused, match=f"{why}.*checked_by_hand"):
        clean(make_dicom(**tags))
    assert clean(make_dicom(**tags), checked_by_hand=True).PatientIdentityRemoved == "YES"


def test_an_overlay_in_unused_bits_is_refused() -> None:
    """Old consoles kept the name above the twelve bits of the picture."""
    data = make_dicom(change=lambda dataset: dataset.add_new(0x60000102, "US", 12))
    with pytest.raises(DeidentificationRefused, match="unused bits"):
        clean(data)


@pytest.mark.parametrize(
    ("keyword", "kind"), [("InstanceNumber", "IS"), ("KVP", "DS"), ("Laterality", "CS")]
)
def test_a_name_where_a_number_or_a_code_is_due_is_removed(keyword: str, kind: str) -> None:
    def hide(dataset: Dataset) -> None:
        secret = NAME.encode() + b" "
        dataset[keyword] = RawDataElement(Tag(keyword), kind, len(secret), secret, 0, False, True)  # noqa: FBT003

    data = make_dicom(change=hide)
    assert NAME.encode() in data
    result = deidentified(ImageFile("DICOM", data), ALIAS, checked_by_hand=False)
    assert NAME.encode() not in result.file.data
    assert keyword in {change.keyword for change in result.changes if change.action == "remove"}


def test_a_damaged_file_is_one_sentence() -> None:
    without_its_uid = make_dicom().replace(b"\x08\x00\x18\x00UI", b"\x08\x00\x17\x00UI")
    with pytest.raises(ImageFault, match=r"is damaged \(DICOM, AttributeError\)"):
        clean(without_its_uid)
