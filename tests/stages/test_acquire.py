"""The stage acquire@study: what comes out says what came in, and not who."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from oncotrail.acquire.check import check
from oncotrail.cohort import tables
from oncotrail.errors import DataFault
from oncotrail.record import MemoryRun
from pipelines import acquire

STUDY = "small"
SECRETS = ("Xanthippe", "HOSP-", "1951010", "2020030", "1.2.826.")  # names, ids, dates and UIDs
COHORT = {
    "patient": "mrn",
    "site": "site",
    "outcomes": {
        "relapse": {
            "kind": "label",
            "column": "relapse",
            "positive": "1",
            "negative": "0",
            "means": "relapse",
        }
    },
    "views": {"t4": {"modality": "CT", "means": "CT slice"}},
    "clinical": {"age": {"kind": "number", "unit": "years", "minimum": 0, "maximum": 120}},
    "ignored": ["name", "born"],
    "eligibility": [{"column": "age", "minimum": 18, "reason": "younger than 18 years"}],
}


def write_dicom(path: Path, number: int) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.826.{number}"
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = f"1.2.826.1.{number}"
    dataset.PatientName, dataset.PatientID = f"Xanthippe^{number}", f"HOSP-{number}"
    dataset.PatientBirthDate, dataset.StudyDate = f"1951010{number}", f"2020030{number}"
    dataset.Modality, dataset.Manufacturer = "CT", "Maker"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 20, 24, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.PixelSpacing = 1, -1024, [1, 1]
    stored = np.random.default_rng(number).integers(0, 4096, (20, 24), dtype="<u2")
    dataset.PixelData = stored.tobytes()
    dataset.save_as(path, enforce_file_format=True)


def write_png(path: Path, number: int) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", "Xanthippe")
    picture = np.random.default_rng(number).integers(0, 256, (20, 24), dtype=np.uint8)
    Image.fromarray(picture).save(path, pnginfo=text)


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six patients: five DICOM, one PNG; one of them a child."""
    monkeypatch.setenv("ONCOTRAIL_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "raw"
    (folder / "images" / "t4").mkdir(parents=True)
    lines = ["mrn,name,born,site,relapse,age"]
    for number in range(1, 7):
        age = 12 if number == 6 else 50 + number
        lines.append(
            f"HOSP-{number},Xanthippe,1951010{number},{'AB'[number % 2]},{number % 2},{age}"
        )
        write = write_png if number == 5 else write_dicom
        ending = "png" if number == 5 else "dcm"
        write(folder / "images" / "t4" / f"HOSP-{number}.{ending}", number)
    (folder / "clinical.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    return folder


def settings(raw: Path, **more: object) -> acquire.Settings:
    asked = {"path": str(raw), "pseudonyms": "keyed", "on_fault": "stop", **more}
    return acquire.Settings.model_validate({"acquire": asked, "cohort": COHORT})


def acquired(raw: Path, place: Path, **more: object) -> MemoryRun:
    run = MemoryRun(place, STUDY, "acquire")
    acquire.main(settings(raw, **more), run)
    return run


def test_tables_and_images_come_out(raw: Path, tmp_path: Path) -> None:
    run = acquired(raw, tmp_path)
    cohort = tables.read(acquire.Cohort.model_validate(COHORT).table(), run.out / "cohort.parquet")
    images = tables.read(tables.IMAGES, run.out / "images.parquet")
    assert len(cohort) == len(images) == 5
    assert set(images["patient"]) == set(cohort["patient"])
    assert set(images["modality"].dropna()) == {"CT"}
    for row in images.itertuples():
        assert row.path == f"images/t4/{row.image}{Path(row.path).suffix}"
        assert (run.out / row.path).is_file()
    assert (run.recorded_metrics["patients_eligible"], run.recorded_metrics["images"]) == (5, 5)


def test_no_name_id_or_date_comes_out(raw: Path, tmp_path: Path) -> None:
    run = acquired(raw, tmp_path)
    everything = b"".join(path.read_bytes() for path in run.out.rglob("*") if path.is_file())
    frames = [pd.read_parquet(path).to_csv() for path in run.out.glob("*.parquet")]
    paths = [path.as_posix() for path in run.out.rglob("*")]
    said = [*run.lines, str(run.recorded_params), *frames, *paths]
    for secret in SECRETS:
        assert secret.encode() not in everything
        assert not any(secret in text for text in said)


def test_values_stay_with_their_patient(raw: Path, tmp_path: Path) -> None:
    """Pseudonyms sort otherwise than ids; age and picture must follow the patient all the same."""
    run = acquired(raw, tmp_path)
    cohort = pd.read_parquet(run.out / "cohort.parquet").set_index("patient")
    images = pd.read_parquet(run.out / "images.parquet").set_index("patient")
    for number in range(1, 5):
        patient = cohort.index[cohort["age"] == 50 + number][0]
        path = run.out / images.loc[patient, "path"]
        stored = np.random.default_rng(number).integers(0, 4096, (20, 24), dtype="<u2")
        assert dcmread(path).PixelData == stored.tobytes()
        assert dcmread(path).PatientID == patient


def test_the_flow_adds_up(raw: Path, tmp_path: Path) -> None:
    flow = json.loads((acquired(raw, tmp_path).out / "flow.json").read_text())
    assert flow["found"] == 6
    assert flow["eligible"] == 5
    assert flow["excluded"] == [
        {"kind": "eligibility", "reason": "younger than 18 years", "patients": 1}
    ]
    assert flow["sites"] == {
        "A": {"found": 3, "excluded": 1, "eligible": 2},
        "B": {"found": 3, "excluded": 0, "eligible": 3},
    }


def test_who_is_excluded_has_a_row_and_no_image(raw: Path, tmp_path: Path) -> None:
    run = acquired(raw, tmp_path)
    exclusions = tables.read(tables.EXCLUSIONS, run.out / "exclusions.parquet")
    assert exclusions[["kind", "reason"]].to_numpy().tolist() == [
        ["eligibility", "younger than 18 years"]
    ]
    excluded = exclusions["patient"].iloc[0]
    assert not any(excluded in path.name for path in run.out.rglob("*"))


def test_the_log_of_changes_is_a_table(raw: Path, tmp_path: Path) -> None:
    run = acquired(raw, tmp_path)
    log = tables.read(tables.DEIDENTIFICATION, run.out / "deidentification.parquet")
    images = tables.read(tables.IMAGES, run.out / "images.parquet")
    assert set(log["image"]) == set(images["image"])
    assert {"PatientName", "StudyDate", "tEXt"} <= set(log["keyword"])


def test_the_log_is_whole_when_written_in_pieces(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pd.read_parquet(acquired(raw, tmp_path / "a").out / "deidentification.parquet")
    monkeypatch.setattr("oncotrail.acquire.keep.CHANGES_AT_ONCE", 1)
    pieces = pd.read_parquet(acquired(raw, tmp_path / "b").out / "deidentification.parquet")
    pd.testing.assert_frame_equal(whole, pieces)


def test_the_same_cohort_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    one, two = acquired(raw, tmp_path / "a").out, acquired(raw, tmp_path / "b").out
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_new_key_is_announced_once(raw: Path, tmp_path: Path) -> None:
    first, second = acquired(raw, tmp_path / "a"), acquired(raw, tmp_path / "b")
    assert any("back it up" in line for line in first.lines)
    assert not any("back it up" in line for line in second.lines)


def test_problems_stop_the_stage_without_naming_anybody(raw: Path, tmp_path: Path) -> None:
    (raw / "images" / "t4" / "HOSP-1.dcm").write_bytes(b"Xanthippe")
    with pytest.raises(DataFault) as caught:
        acquired(raw, tmp_path)
    assert str(caught.value) == (
        "1 problem in the raw cohort; run oncotrail check small to see file, row and mend."
    )


def test_a_tolerated_fault_is_an_exclusion_that_names_nobody(raw: Path, tmp_path: Path) -> None:
    (raw / "images" / "t4" / "HOSP-1.dcm").write_bytes(b"Xanthippe")
    run = acquired(raw, tmp_path, on_fault="exclude")
    exclusions = pd.read_parquet(run.out / "exclusions.parquet")
    assert "image of t4 cannot be used" in set(exclusions["reason"])
    assert len(pd.read_parquet(run.out / "cohort.parquet")) == 4
    flow = json.loads((run.out / "flow.json").read_text())
    assert flow["found"] == flow["eligible"] + sum(e["patients"] for e in flow["excluded"])


def test_an_image_that_says_it_is_another_patient_stops(raw: Path) -> None:
    """A file under the wrong name is the mistake that no later table can show."""
    images = raw / "images" / "t4"
    images.joinpath("HOSP-1.dcm").rename(images / "x")
    images.joinpath("HOSP-2.dcm").rename(images / "HOSP-1.dcm")
    images.joinpath("x").rename(images / "HOSP-2.dcm")
    asked = settings(raw)
    problems = check(raw, asked.acquire, asked.cohort).stopping
    assert {(p.file, p.what, p.mend) for p in problems} == {
        ("images/t4/HOSP-1.dcm", "says that it is of patient HOSP-2", "find out whose it is"),
        ("images/t4/HOSP-2.dcm", "says that it is of patient HOSP-1", "find out whose it is"),
    }


def test_an_image_that_shows_a_name_stops_unless_a_person_looked(raw: Path, tmp_path: Path) -> None:
    path = raw / "images" / "t4" / "HOSP-1.dcm"
    dataset = dcmread(io.BytesIO(path.read_bytes()))
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    with pytest.raises(DataFault):
        acquired(raw, tmp_path / "a")
    run = acquired(raw, tmp_path / "b", burned_in="checked_by_hand")
    assert run.recorded_metrics["images"] == 5


def test_an_invented_cohort_needs_its_mark_and_no_key_file(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(DataFault):
        acquired(raw, tmp_path / "a", pseudonyms="invented")
    (raw / "invented.json").write_text("{}")
    acquired(raw, tmp_path / "b", pseudonyms="invented")
    assert not (tmp_path / "keys").exists()
