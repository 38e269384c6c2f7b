"""Every fault of a raw cohort is found, all at once, with file, row, what and mend."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable

import pytest
from PIL import Image
from pydicom import dcmread

from oncotrail.acquire.findings import Findings, Problem
from tests.acquire.raw_cohort import RawCohort, draw
from tests.imaging.dicom_files import make_dicom


def only(findings: Findings) -> Problem:
    """The one problem that stops."""
    assert len(findings.stopping) == 1, findings.stopping
    return findings.stopping[0]


def test_a_cohort_that_is_well(raw: RawCohort) -> None:
    findings = raw.check()
    assert findings.stopping == ()
    assert findings.exclusions == ()
    assert (findings.patients, findings.eligible, findings.images) == (8, 8, 8)
    assert findings.encodings == {"clinical.csv": "UTF-8, separated by commas"}


@pytest.mark.parametrize(
    ("column", "value", "what", "mend"),
    [
        ("age", "old", "age is not a number (old)", "write a number"),
        ("age", "6,5", "age is not a number (6,5)", "decimals with a point"),
        ("age", "130", "age is outside 18 to 100 years (130)", "the unit is years"),
        ("age", "1e999", "age is not a finite number", "correct it"),
        ("grade", "3", "grade is none of 1, 2 (3)", "declare the code"),
        ("relapse", "yes", "relapse is none of 0, 1 (yes)", "declare the code"),
        ("relapse", "", "relapse is blank", "never guessed"),
        ("death", "2", "death is none of 0, 1 (2)", "declare the code"),
        ("os_months", "0", "os_months is not above 0 (0)", "counted from the start"),
        ("os_months", "-3", "os_months is not above 0 (-3)", "counted from the start"),
        ("os_months", "NA", "os_months is blank (NA)", "never guessed"),
        ("hospital", "", "hospital is blank", "fill it"),
        ("dmfs_days", "700", "dmfs_days is 700 days, after the last follow-up", "os_months"),
    ],
)
def test_a_wrong_cell_names_row_patient_value_and_mend(
    raw: RawCohort, column: str, value: str, what: str, mend: str
) -> None:
    problem = only(raw.put(2, column, value).check())
    assert (problem.file, problem.row, problem.patient) == ("clinical.csv", 4, "H3")
    assert what in problem.what
    assert mend in problem.mend
    assert "H3" not in problem.reason


def test_all_problems_come_at_once(raw: RawCohort) -> None:
    raw.put(0, "age", "130").put(1, "relapse", "yes").put(2, "os_months", "0")
    raw.image("front", "H5").unlink()
    raw.image("front", "H6").write_bytes(b"")
    findings = raw.check()
    assert {problem.patient for problem in findings.stopping} == {"H1", "H2", "H3", "H5", "H6"}


@pytest.mark.parametrize("value", ["", "NA", "n/a", "NaN", "null"])
def test_a_blank_clinical_value_is_no_fault(raw: RawCohort, value: str) -> None:
    assert raw.put(2, "grade", value).check().stopping == ()


def test_a_code_that_a_spreadsheet_wrote_as_decimal_is_the_code(raw: RawCohort) -> None:
    assert raw.put(2, "grade", "2.0").put(2, "relapse", "1.0").check().stopping == ()


def test_an_unknown_column_names_the_nearest_declared_one(raw: RawCohort) -> None:
    raw.header[raw.header.index("grade")] = "grades"
    problems = {problem.what: problem.mend for problem in raw.check().stopping}
    assert "Did you mean 'grades'?" in problems["column 'grade' is declared and missing"]
    assert "Did you mean 'grade'?" in problems["column 'grades' is not declared"]


def test_repeated_and_blank_ids(raw: RawCohort) -> None:
    raw.put(1, "patient_id", "H1").put(3, "patient_id", "")
    problems = raw.check().stopping
    found = {(p.row, p.what) for p in problems if p.file == "clinical.csv"}
    assert found == {
        (2, "patient H1 has 2 rows"),
        (3, "patient H1 has 2 rows"),
        (5, "patient_id is blank"),
    }


def test_a_class_that_nobody_has(raw: RawCohort) -> None:
    for row in range(8):
        raw.put(row, "relapse", "0").put(row, "metastasis", "0")
    what = {problem.what for problem in raw.check().stopping}
    assert what == {"all 8 patients have the same relapse", "no patient has the event of dmfs"}


def test_a_missing_image(raw: RawCohort) -> None:
    raw.image("front", "H2").unlink()
    problem = only(raw.check())
    assert (problem.row, problem.patient) == (3, "H2")
    assert "no image of the view front" in problem.what
    assert "images/front/H2.<ending>" in problem.mend


def test_lost_leading_zeros_are_suspected(raw: RawCohort) -> None:
    raw.image("front", "H2").rename(raw.image("front", "007"))
    raw.put(1, "patient_id", "7")
    mends = [problem.mend for problem in raw.check().stopping if problem.patient == "7"]
    assert "has the table lost leading zeros?" in mends[0]


def test_an_image_that_is_not_required_may_be_missing_but_not_damaged(raw: RawCohort) -> None:
    draw(raw.image("side", "H1"), 99)
    assert raw.check().stopping == ()
    raw.image("side", "H1").write_bytes(b"\x89PNG\r\n\x1a\n")
    problem = only(raw.check())
    assert (problem.file, problem.patient) == ("images/side/H1.png", "H1")
    assert "cannot be read as PNG" in problem.what


def test_an_image_of_nobody(raw: RawCohort) -> None:
    draw(raw.image("front", "H99"), 99)
    problem = only(raw.check())
    assert problem.file == "images/front/H99.png"
    assert problem.what == "patient H99 is not in clinical.csv"


def test_a_view_that_is_not_declared(raw: RawCohort) -> None:
    draw(raw.image("fronts", "H1"), 99)
    problem = only(raw.check())
    assert (problem.file, problem.mend[-21:]) == ("images/fronts", "Did you mean 'front'?")


def test_two_images_of_one_view(raw: RawCohort) -> None:
    Image.open(raw.image("front", "H1")).rotate(90).save(raw.folder / "images/front/H1.jpg")
    assert "has two images of front: also images/front/H1.jpg" in only(raw.check()).what


def test_one_picture_under_two_patients_even_in_another_format(raw: RawCohort) -> None:
    path = raw.image("front", "H2")
    path.unlink()
    Image.open(raw.image("front", "H1")).save(path.with_suffix(".bmp"), "BMP")
    Image.open(path.with_suffix(".bmp")).save(path, "PNG", compress_level=0)
    path.with_suffix(".bmp").unlink()
    assert path.read_bytes() != raw.image("front", "H1").read_bytes()
    problem = only(raw.check())
    assert problem.file == "images/front/H2.png"
    assert problem.what == "shows the very picture of images/front/H1.png"
    assert problem.patient is None


def test_one_picture_as_two_views_of_a_patient(raw: RawCohort) -> None:
    raw.image("side", "H1").parent.mkdir()
    shutil.copy(raw.image("front", "H1"), raw.image("side", "H1"))
    problem = only(raw.check())
    assert (problem.file, problem.patient) == ("images/side/H1.png", "H1")
    assert problem.what == "shows the very picture of images/front/H1.png"


def test_files_that_systems_leave_behind_are_no_images(raw: RawCohort) -> None:
    (raw.folder / "images" / ".DS_Store").write_bytes(b"x")
    (raw.folder / "images" / "front" / "Thumbs.db").write_bytes(b"x")
    assert raw.check().stopping == ()


@pytest.mark.parametrize("on_fault", ["stop", "exclude"])
@pytest.mark.parametrize("name", ["notes.txt", "README", "17003", "empty", "H1.json"])
def test_a_file_that_is_no_image_is_nobody(raw: RawCohort, name: str, on_fault: str) -> None:
    raw.settings["on_fault"] = on_fault
    text = "" if name == "empty" else "taken from the archive in March\n" * 40
    (raw.folder / "images" / "front" / name).write_text(text)
    findings = raw.check()
    problem = only(findings)
    assert (problem.file, problem.patient) == (f"images/front/{name}", None)
    assert problem.what == "is no image of a kind that is read"
    assert problem.mend.startswith("move it away")
    assert (findings.patients, findings.exclusions) == (8, ())


def test_a_folder_among_the_images_is_nobody(raw: RawCohort) -> None:
    (raw.folder / "images" / "front" / "H1.old").mkdir()
    findings = raw.check()
    assert only(findings).what == "is a folder"
    assert findings.patients == 8


def test_a_damaged_file_named_after_a_patient_is_that_patients(raw: RawCohort) -> None:
    raw.image("front", "H3").rename(raw.folder / "images" / "front" / "H3")
    (raw.folder / "images" / "front" / "H3").write_bytes(b"nonsense")
    problem = only(raw.check())
    assert (problem.patient, problem.what) == (
        "H3",
        "is not a DICOM file, nor any other that is read",
    )


def test_a_dicom_file_without_an_ending_is_an_image_of_nobody(raw: RawCohort) -> None:
    (raw.folder / "images" / "front" / "1.2.840.7").write_bytes(make_dicom(Modality="CR"))
    assert only(raw.check()).what == "patient 1.2.840.7 is not in clinical.csv"


def without_image(data: bytes) -> bytes:
    dataset = dcmread(io.BytesIO(data))
    del dataset.PixelData
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what", "mend"),
    [
        (without_image(make_dicom(Modality="CR")), "without an image", "export it again"),
        (make_dicom(Modality="CR")[:400], "without an image", "it may be cut short"),
        (make_dicom(Modality="CR", BurnedInAnnotation="YES"), "Annotation is YES", "look at this"),
        (make_dicom(Modality="US"), "usually has text burned in", "burned_in: checked_by_hand"),
        (make_dicom(Modality="CR", NumberOfFrames=2), "is cut short: 96 of 192", "copy it again"),
    ],
)
def test_a_fault_of_an_image_says_how_to_mend_it(
    raw: RawCohort, data: bytes, what: str, mend: str
) -> None:
    raw.image("front", "H3").unlink()
    (raw.folder / "images" / "front" / "H3.dcm").write_bytes(data)
    problem = only(raw.check())
    assert what in problem.what
    assert mend in problem.mend
    assert not problem.what.endswith(".")
    assert problem.mend not in problem.what


def test_a_list_of_images_takes_the_place_of_the_convention(raw: RawCohort) -> None:
    (raw.folder / "images").rename(raw.folder / "export")
    lines = [f"H{n},front,export/front/H{n}.png" for n in range(1, 9)]
    (raw.folder / "images.csv").write_text("\n".join(["patient,view,path", *lines]))
    findings = raw.check()
    assert findings.stopping == ()
    assert findings.encodings["images.csv"] == "UTF-8, separated by commas"


def test_a_list_of_images_that_leads_elsewhere(raw: RawCohort) -> None:
    lines = ["H1,front,../elsewhere.png", "H2,front,/etc/passwd", "H3,back,images/front/H3.png"]
    (raw.folder / "images.csv").write_text("\n".join(["patient,view,path", *lines]))
    found = {p.row: p.what for p in raw.check().stopping if p.file != "clinical.csv"}
    assert "'../elsewhere.png' does not lie below" in found[2]
    assert "'/etc/passwd' does not lie below" in found[3]
    assert found[4] == "view 'back' is not declared"


def test_an_invented_key_for_patients_who_live(raw: RawCohort) -> None:
    raw.settings["pseudonyms"] = "invented"
    assert only(raw.check()).mend == "write acquire.pseudonyms: keyed"
    (raw.folder / "invented.json").write_text("{}")
    assert raw.check().stopping == ()


def test_a_folder_with_nothing_in_it(raw: RawCohort) -> None:
    shutil.rmtree(raw.folder)
    raw.folder.mkdir()
    (raw.folder / "clinical.csv").write_bytes(b"")
    assert only(raw.check()).what == "is empty"


def test_who_is_not_eligible_is_kept_out_and_not_faulted(raw: RawCohort) -> None:
    raw.put(2, "age", "17").put(2, "grade", "nonsense")
    raw.image("front", "H3").unlink()
    findings = raw.check()
    assert findings.stopping == ()
    assert [(e.patient, e.kind, e.reason) for e in findings.exclusions] == [
        ("H3", "eligibility", "younger than 18 years")
    ]
    assert findings.eligible == 7


def test_unknown_eligibility_keeps_out(raw: RawCohort) -> None:
    findings = raw.put(2, "age", "").check()
    assert findings.exclusions[0].reason == "age is blank, so that eligibility is unknown"


def test_nobody_left(raw: RawCohort) -> None:
    for row in range(8):
        raw.put(row, "age", "17")
    assert only(raw.check()).what == "no patient is left to study"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.put(2, "relapse", ""),
        lambda raw: raw.put(2, "age", "130"),
        lambda raw: raw.image("front", "H3").unlink(),
        lambda raw: raw.image("front", "H3").write_bytes(b"damage"),
    ],
)
def test_a_study_may_exclude_patients_with_a_fault(raw: RawCohort, spoil: Callable) -> None:
    raw.settings["on_fault"] = "exclude"
    spoil(raw)
    findings = raw.check()
    assert findings.stopping == ()
    assert [(e.patient, e.kind) for e in findings.exclusions] == [("H3", "data fault")]
    assert len(findings.tolerated) == 1
    assert "H3" not in findings.exclusions[0].reason


def test_an_image_of_nobody_is_an_exclusion_where_the_study_excludes(raw: RawCohort) -> None:
    raw.settings["on_fault"] = "exclude"
    draw(raw.image("front", "H99"), 99)
    findings = raw.check()
    assert (findings.stopping, findings.patients, findings.eligible) == ((), 9, 8)


def test_what_no_single_patient_is_to_blame_for_always_stops(raw: RawCohort) -> None:
    raw.settings["on_fault"] = "exclude"
    shutil.copy(raw.image("front", "H1"), raw.image("front", "H2"))
    raw.put(4, "patient_id", "H6")
    what = [problem.what for problem in raw.check().stopping]
    assert len([w for w in what if "very picture" in w]) == 1
    assert len([w for w in what if "has 2 rows" in w]) == 2


def test_a_column_in_two_units(raw: RawCohort) -> None:
    raw.cohort["clinical"] = {
        "age": {"kind": "number", "unit": "years", "minimum": 18, "maximum": 1000},
        "grade": raw.cohort["clinical"]["grade"],
    }
    for number in range(9, 60):
        row = [*raw.rows[number % 8]]
        row[0], row[7] = f"H{number}", str((40 + number % 30) * (12 if number % 3 == 0 else 1))
        raw.rows.append(row)
        draw(raw.image("front", f"H{number}"), 100 + number)
    problem = only(raw.check())
    assert "age looks like two units (months and years, 12 times apart" in problem.what
    assert problem.patient is None
    raw.settings["units_checked"] = ["age"]
    assert raw.check().stopping == ()
