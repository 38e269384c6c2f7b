"""The demo cohort, which imitates a hospital's habits, comes in whole and leaves nameless."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from pydicom import dcmread

from oncotrail.demo import cohort as demo
from oncotrail.record import MemoryRun
from oncotrail.study.load import load
from pipelines import acquire

STUDY = "breast_early_fusion"
PATIENTS = 24


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's raw cohort, and what acquire made of it."""
    root = tmp_path_factory.mktemp("demo")
    demo.write(root, seed=7, patients=PATIENTS, kind="breast_ct", effects="planted", population=100)
    declared = load(acquire.Settings, STUDY, Path.cwd()).settings
    raw = declared.acquire.model_copy(update={"path": str(root / "cohort")})
    run = MemoryRun(root, STUDY, "acquire")
    acquire.main(declared.model_copy(update={"acquire": raw}), run)
    (root / "said.txt").write_text(f"{run.lines} {run.recorded_params}")
    return root


def told_of_patients(root: Path) -> set[str]:
    """Every id, name, date, UID and device that the raw cohort tells."""
    with (root / "cohort" / "clinical.csv").open(encoding="utf-8", newline="") as file:
        told = {row["patient_id"] for row in csv.DictReader(file)}
    for path in (root / "cohort" / "images").rglob("*.dcm"):
        dataset = dcmread(path, stop_before_pixels=True)
        told |= {str(dataset.PatientID), str(dataset.SOPInstanceUID), *_names(dataset.PatientName)}
        told |= {str(dataset.StudyDate), str(dataset.get("PatientBirthDate", ""))}
        told |= {str(dataset.get(keyword, "")) for keyword in ("InstitutionName", "StationName")}
    return {text for text in told if len(text) > 5}  # shorter ones stand in pixels by chance


def _names(name: object) -> set[str]:
    return set(str(name).split("^"))


def test_everybody_is_accounted_for(root: Path) -> None:
    out = root / "data" / STUDY / "acquire"
    patients = set(pd.read_parquet(out / "cohort.parquet")["patient"])
    excluded = set(pd.read_parquet(out / "exclusions.parquet")["patient"])
    assert len(patients) + len(excluded) == PATIENTS
    assert patients.isdisjoint(excluded)
    images = pd.read_parquet(out / "images.parquet")
    assert (images.groupby("patient")["view"].nunique() == 2).all()
    assert set(images["patient"]) == patients


def test_nothing_that_the_raw_cohort_tells_of_a_person_is_in_any_output(root: Path) -> None:
    told = told_of_patients(root)
    assert len(told) > 4 * PATIENTS
    out = root / "data" / STUDY / "acquire"
    texts = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    texts += [pd.read_parquet(path).to_csv().encode() for path in out.glob("*.parquet")]
    texts += [str(path.relative_to(root)).encode() for path in out.rglob("*")]
    texts.append((root / "said.txt").read_bytes().replace(str(root).encode(), b""))
    everything = b"\0".join(texts)
    assert [text for text in told if text.encode() in everything] == []
