from __future__ import annotations

from pathlib import Path

from oncotrail.tracking.notes import run_note
from tests.tracking.repository import FIGURES, STUDY, Repository


def test_a_networks_note_says_how_good_it_is_what_was_bent_and_how_to_repeat_it(
    tmp_path: Path,
) -> None:
    record = Repository(tmp_path).record("train", f"{STUDY}-t4", bent={"epochs": [1000, 2]})
    note = run_note(record, "t4", "network", FIGURES["t4"])
    assert note.startswith("Network **t4** of study **breast**, recipe **demo**.")
    assert "AUC: validation 0.600 (0.500 to 0.700)." in note
    assert "- `epochs`: 1000 → 2" in note
    assert "`dvc repro train@breast-t4`" in note


def test_a_stage_without_figures_claims_none(tmp_path: Path) -> None:
    note = run_note(Repository(tmp_path).record("split"), "split", "stage", {})
    assert "AUC" not in note
    assert "published" not in note


def test_many_changes_are_counted_not_listed(tmp_path: Path) -> None:
    bent = {f"place{number}": [1, 2] for number in range(30)}
    note = run_note(Repository(tmp_path).record("split", bent=bent), "split", "stage", {})
    assert "- and 18 more, in the tag `bent`" in note
