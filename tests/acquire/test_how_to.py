"""docs/how-to/your-own-cohort.md stays true: its study file, its table and its words."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from oncotrail.acquire.check import check
from oncotrail.study.file import StudyFile, faults_of

PAGE = Path("docs/how-to/your-own-cohort.md").read_text(encoding="utf-8")
STUDY = "bone_tumours"


def block(kind: str, begins: str) -> str:
    """The page's one block of this kind that begins so."""
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(begins)]
    return found


@pytest.fixture
def study() -> StudyFile:
    return StudyFile.read(YAML(typ="safe", pure=True).load(block("yaml", "study:")), "the page")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty patients in the columns of the page's table."""
    header, *shown = csv.reader(io.StringIO(block("csv", "record")))
    (tmp_path / "images" / "front").mkdir(parents=True)
    rows = []
    for number in range(40):
        row = list(shown[number % 2])
        row[0], row[header.index("age")] = str(17000 + number), str(20 + number)
        rows.append(row)
        picture = np.random.default_rng(number).integers(0, 256, (32, 24), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "images" / "front" / f"{row[0]}.png")
    with (tmp_path / "clinical.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return tmp_path


def test_the_study_file_is_in_order(study: StudyFile) -> None:
    assert list(faults_of(STUDY, study)) == []


def test_a_cohort_as_the_page_describes_passes_the_check(study: StudyFile, folder: Path) -> None:
    findings = check(folder, study.acquire[STUDY], study.cohort[STUDY])
    assert findings.stopping == ()
    assert (findings.patients, findings.images) == (40, 40)


def test_the_problems_that_the_page_shows_are_those_that_are_found(
    study: StudyFile, folder: Path
) -> None:
    front = folder / "images" / "front"
    (front / "17005.png").unlink()
    (front / "17007.png").write_bytes((front / "17006.png").read_bytes())
    (front / "17008.png").write_bytes((front / "17008.png").read_bytes()[:300])
    text = (folder / "clinical.csv").read_text().replace("17001,South,1,21", "17001,South,1,250")
    (folder / "clinical.csv").write_text(text.replace("size_cm", "size"))
    findings = check(folder, study.acquire[STUDY], study.cohort[STUDY])
    found = {re.sub(r"\d{5}", "ID", problem.what) for problem in findings.stopping}
    shown = {
        re.sub(r"\d{5}", "ID", line.split("│")[3].strip())
        for line in PAGE.splitlines()
        if line.startswith("│")
    }
    assert shown <= found


def test_every_file_and_command_that_the_page_names_is_there() -> None:
    assert Path("src/oncotrail/imaging/profile.py").is_file()
    commands = set(re.findall(r"oncotrail (\w+)", PAGE))
    source = Path("src/oncotrail/cli.py").read_text(encoding="utf-8")
    assert commands == {"check", "validate"}
    assert all(f"def {command}(" in source for command in commands)
