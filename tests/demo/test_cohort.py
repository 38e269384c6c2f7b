import csv
import gc
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from oncotrail.demo import cohort
from oncotrail.demo.outcome import EFFECTS


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make(folder: Path, patients: int, seed: int = 7) -> dict[str, str]:
    cohort.write(
        folder, seed=seed, patients=patients, kind="breast_ct", effects="planted", population=2000
    )
    return digests(folder)


def test_the_same_seed_writes_the_same_bytes(written: Path, tmp_path: Path) -> None:
    assert make(tmp_path / "again", 24) == digests(written)


def test_another_seed_writes_other_patients(written: Path, tmp_path: Path) -> None:
    other, first = make(tmp_path / "other", 3, seed=8), digests(written)
    assert not set(other.values()) & set(first.values())


def test_a_small_cohort_is_the_beginning_of_a_large_one(written: Path, tmp_path: Path) -> None:
    few = make(tmp_path / "few", 5)
    images = {name: digest for name, digest in few.items() if name.endswith(".dcm")}
    assert len(images) == 10
    assert images.items() <= digests(written).items()
    for table in ("cohort/clinical.csv", "truth_scores.csv"):
        assert rows(tmp_path / "few" / table) == rows(written / table)[:5]


def test_blocks_join_without_a_seam() -> None:
    patients = [
        patient
        for block in cohort.blocks(7, 2 * cohort.BLOCK + 3, EFFECTS["planted"])
        for patient in block.patients
    ]
    assert len(set(patients)) == 2 * cohort.BLOCK + 3


def test_the_marker_says_that_nobody_lived(written: Path) -> None:
    marker = json.loads((written / "cohort/invented.json").read_text(encoding="utf-8"))
    assert marker == {"kind": "breast_ct", "seed": 7, "patients": 24}


def test_truth_is_beside_the_cohort_and_names_its_patients(written: Path) -> None:
    clinical, truth = rows(written / "cohort/clinical.csv"), rows(written / "truth_scores.csv")
    assert [row["patient_id"] for row in clinical] == [row["patient_id"] for row in truth]
    assert not list((written / "cohort").rglob("truth*"))
    planted = json.loads((written / "truth.json").read_text(encoding="utf-8"))
    assert planted["coefficients"]["sarcopenia"] > 0
    attainable = planted["attainable_auc"]
    assert attainable["clinical"] < attainable["clinical_t11"] < attainable["clinical_t4_t11"]
    assert set(attainable) < set(truth[0])


def peak(work: Callable[[], object]) -> int:
    """The most memory in use at any time, in kB."""
    gc.collect()
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most // 1024


@pytest.mark.slow
def test_images_leave_memory_once_they_are_written(tmp_path: Path) -> None:
    make(tmp_path / "imports", 2)
    small = peak(lambda: make(tmp_path / "small", cohort.BLOCK))
    large = peak(lambda: make(tmp_path / "large", 4 * cohort.BLOCK))
    assert large < small + 2 * 1024  # the further images would be 49 MB


@pytest.mark.slow
def test_twenty_thousand_clinical_rows_do_not_grow_memory() -> None:
    def draw(patients: int) -> None:
        for _ in cohort.blocks(7, patients, EFFECTS["planted"]):
            pass

    draw(2)
    assert peak(lambda: draw(20_000)) < peak(lambda: draw(2_000)) + 100
