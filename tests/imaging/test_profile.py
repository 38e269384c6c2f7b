"""The allow-list itself, against the standard's table of what identifies."""

from pydicom.datadict import dictionary_VR, tag_for_keyword

from oncotrail.imaging import profile

# PS3.15 table E.1-1: tags that the basic profile removes, empties or replaces (a choice that
# covers people, places, devices, times and free text).
CONFIDENTIAL = (
    "AcquisitionComments",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "AdmittingDate",
    "AdditionalPatientHistory",
    "CountryOfResidence",
    "CurrentPatientLocation",
    "DeviceSerialNumber",
    "DeviceUID",
    "GantryID",
    "ImageComments",
    "InstanceCreatorUID",
    "InstitutionAddress",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "IssuerOfPatientID",
    "MedicalRecordLocator",
    "NameOfPhysiciansReadingStudy",
    "OperatorsName",
    "OriginalAttributesSequence",
    "OtherPatientIDs",
    "OtherPatientNames",
    "OverlayData",
    "PatientAddress",
    "PatientAge",
    "PatientBirthName",
    "PatientBirthTime",
    "PatientComments",
    "PatientMotherBirthName",
    "PatientSize",
    "PatientTelephoneNumbers",
    "PatientWeight",
    "PerformedProcedureStepDescription",
    "PerformingPhysicianName",
    "PersonName",
    "PlateID",
    "ProtocolName",
    "ReferencedPatientSequence",
    "RequestAttributesSequence",
    "RequestingPhysician",
    "ScheduledProcedureStepDescription",
    "SeriesDescription",
    "SeriesTime",
    "StationName",
    "StudyComments",
    "StudyDescription",
    "TextString",
    "TimezoneOffsetFromUTC",
    "VerifyingObserverName",
)


def test_every_keyword_is_in_the_standard() -> None:
    unknown = [keyword for keyword in profile.ACTIONS if tag_for_keyword(keyword) is None]
    assert unknown == []


def test_nothing_confidential_is_on_the_list() -> None:
    assert [keyword for keyword in CONFIDENTIAL if keyword in profile.ACTIONS] == []


def test_no_name_date_time_or_uid_is_kept() -> None:
    kept = [keyword for keyword, action in profile.ACTIONS.items() if action == "keep"]
    of_a_kind = {keyword: dictionary_VR(tag_for_keyword(keyword)) for keyword in kept}
    assert {k: vr for k, vr in of_a_kind.items() if vr in {"PN", "DA", "TM", "DT", "UI"}} == {
        "SOPClassUID": "UI"  # a kind of object, not an object
    }


def test_no_free_text_is_kept() -> None:
    kept = [keyword for keyword, action in profile.ACTIONS.items() if action == "keep"]
    free = [k for k in kept if dictionary_VR(tag_for_keyword(k)) in {"LT", "ST", "UT", "UC"}]
    assert free == []
