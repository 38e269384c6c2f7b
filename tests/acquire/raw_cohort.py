"""A raw cohort of eight patients, whole and well; each test spoils one thing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from oncotrail.acquire.check import check
from oncotrail.acquire.findings import Findings
from oncotrail.study.cohort import Cohort
from oncotrail.study.source import Acquire

HEADER = "patient_id,hospital,relapse,os_months,death,dmfs_days,metastasis,age,grade,remark"
PATIENTS = [f"H{number}" for number in range(1, 9)]
COHORT = {
    "patient": "patient_id",
    "site": "hospital",
    "outcomes": {
        "relapse": {
            "kind": "label",
            "column": "relapse",
            "positive": "1",
            "negative": "0",
            "means": "relapse",
        },
        "os": {
            "kind": "time_to_event",
            "time": "os_months",
            "event": "death",
            "happened": "1",
            "censored": "0",
            "unit": "months",
            "means": "overall survival",
        },
        "dmfs": {
            "kind": "time_to_event",
            "time": "dmfs_days",
            "event": "metastasis",
            "happened": "1",
            "censored": "0",
            "unit": "days",
            "means": "distant-metastasis-free survival",
        },
    },
    "views": {
        "front": {"modality": "CR", "means": "front"},
        "side": {"modality": "CR", "means": "side", "required": False},
    },
    "clinical": {
        "age": {"kind": "number", "unit": "years", "minimum": 18, "maximum": 100},
        "grade": {"kind": "category", "levels": {"1": "low", "2": "high"}},
    },
    "ignored": ["remark"],
    "eligibility": [{"column": "age", "minimum": 18, "reason": "younger than 18 years"}],
}


@dataclass
class RawCohort:
    """A folder as a hospital would hand it over, in memory until it is written."""

    folder: Path
    header: list[str] = field(default_factory=lambda: HEADER.split(","))
    rows: list[list[str]] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    cohort: dict[str, object] = field(default_factory=lambda: dict(COHORT))

    def put(self, row: int, column: str, value: str) -> RawCohort:
        """Change one cell; rows count from 0."""
        self.rows[row][self.header.index(column)] = value
        return self

    def write(self, encoding: str = "utf-8", delimiter: str = ",") -> Path:
        path = self.folder / "clinical.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([self.header, *self.rows])
        return self.folder

    def acquire(self) -> Acquire:
        defaults = {"path": str(self.folder), "pseudonyms": "keyed", "on_fault": "stop"}
        return Acquire.model_validate(defaults | self.settings)

    def study(self) -> Cohort:
        return Cohort.model_validate(self.cohort)

    def check(self) -> Findings:
        if not (self.folder / "clinical.csv").exists():
            self.write()
        return check(self.folder, self.acquire(), self.study())

    def image(self, view: str, patient: str) -> Path:
        return self.folder / "images" / view / f"{patient}.png"


def draw(path: Path, seed: int) -> None:
    """A small picture that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(seed).integers(0, 256, (20, 24), dtype=np.uint8)
    Image.fromarray(picture).save(path)


def well(folder: Path) -> RawCohort:
    """The cohort with nothing wrong in it."""
    cohort = RawCohort(folder)
    for number, patient in enumerate(PATIENTS):
        sick, months, age, grade = number % 2, 20.5 + number, 50 + number, 1 + number % 2
        row = [patient, "ABC"[number % 3], sick, months, sick, 600, sick, age, grade]
        cohort.rows.append([*map(str, row), f"seen by Dr. Xanthippe {number}"])
        draw(cohort.image("front", patient), number)
    return cohort
