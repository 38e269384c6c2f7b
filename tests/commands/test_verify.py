import json
from pathlib import Path
from typing import Any

import pytest

from oncotrail.commands.verify import Verification, verify
from oncotrail.errors import ReproductionDiffers, UserFault
from tests.small_repository import STUDY, commit_all, small_repository

ROC = "model,false_positive_rate,true_positive_rate\nclinical,0,0\nclinical,1,1\n"
LOCK = "stages:\n  probe@lungs:\n    outs:\n    - {path: data/lungs/probe, md5: %s}\n"


def metrics(auc: float = 0.75, patients: int = 100) -> dict[str, Any]:
    return {
        "clinical": {"test": {"patients": patients, "auc": {"value": auc, "low": 0.7}}},
        "fused": {"test": {"patients": 100, "auc": {"value": 0.8, "low": 0.7}}},
    }


def put(root: Path, values: dict[str, Any], digest: str = "aa", roc: str = ROC) -> None:
    folder = root / "results" / STUDY
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(values))
    (folder / "roc.csv").write_text(roc)
    (root / "dvc.lock").write_text(LOCK % digest)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose results are in git."""
    root = small_repository(tmp_path)
    put(root, metrics())
    commit_all(root)
    return root


def told(verification: Verification) -> str:
    return "\n".join(verification.lines())


def test_the_same_results_are_identical(root: Path) -> None:
    found = verify(root, [STUDY])
    found.judge()
    assert "7 figures against git: 7 identical, 0 within tolerance, 0 different." in told(found)
    assert "1 of 1 outputs in dvc.lock are the same to the byte" in told(found)


def test_a_figure_within_its_tolerance_is_named_and_passes(root: Path) -> None:
    put(root, metrics(auc=0.76), digest="bb")
    found = verify(root, [STUDY])
    found.judge()
    assert "6 identical, 1 within tolerance, 0 different" in told(found)
    assert "clinical.test.auc.value: 0.76 here, 0.75 in git (tolerance 0.02)" in told(found)
    assert "0 of 1 outputs" in told(found)


def test_a_figure_beyond_its_tolerance_is_named_and_fails(root: Path) -> None:
    put(root, metrics(auc=0.78))
    found = verify(root, [STUDY])
    assert "different: results/lungs/metrics.json: clinical.test.auc.value: 0.78 here" in told(
        found
    )
    with pytest.raises(ReproductionDiffers, match="1 of 7 figures differ"):
        found.judge()
    assert ReproductionDiffers.exit_code == 1


def test_a_count_of_patients_has_no_tolerance(root: Path) -> None:
    put(root, metrics(patients=101))
    assert [figure.steps for figure in verify(root, [STUDY]).having("different")] == [
        ("clinical", "test", "patients")
    ]


def test_a_figure_that_is_gone_and_one_that_is_new_differ(root: Path) -> None:
    values = metrics()
    values["extra"] = values.pop("fused")
    put(root, values)
    found = verify(root, [STUDY])
    assert len(found.having("different")) == 6
    assert "fused.test.auc.value: nothing here, 0.8 in git" in told(found)


def test_a_result_file_that_is_gone_differs(root: Path) -> None:
    (root / "results" / STUDY / "roc.csv").unlink()
    assert [figure.file for figure in verify(root, [STUDY]).having("different")] == [
        "results/lungs/roc.csv"
    ]


def test_curves_are_compared_by_the_area_between_them(root: Path) -> None:
    put(root, metrics(), roc=ROC.replace("clinical,1,1", "clinical,0.5,0.52\nclinical,1,1"))
    found = verify(root, [STUDY])
    assert len(found.having("within tolerance")) == 1
    assert "clinical.curve: curves 0.0100 apart (tolerance 0.02)" in told(found)


@pytest.mark.parametrize("place", ["params.yaml", "studies/lungs.yaml", "pipelines/probe.py"])
def test_an_experiment_may_differ_and_says_so(root: Path, place: str) -> None:
    (root / place).write_text((root / place).read_text() + "\n# changed\n")
    put(root, metrics(auc=0.9))
    found = verify(root, [STUDY])
    found.judge()
    assert f"an experiment, not a reproduction: {place} changed." in told(found)
    assert "different: results/lungs/metrics.json: clinical.test.auc.value" in told(found)


def test_a_new_file_of_code_makes_an_experiment(root: Path) -> None:
    (root / "src").mkdir()
    (root / "src" / "new.py").write_text("")
    assert verify(root, [STUDY]).edited == ("src/new.py",)


def test_results_that_git_does_not_hold_cannot_be_compared(tmp_path: Path) -> None:
    root = small_repository(tmp_path)
    commit_all(root)
    put(root, metrics())
    found = verify(root, [STUDY])
    found.judge()
    assert told(found).startswith("verify: nothing to compare with")


def test_a_folder_without_git_cannot_be_compared(tmp_path: Path) -> None:
    root = small_repository(tmp_path / "plain")
    put(root, metrics())
    assert told(verify(root, [STUDY])).startswith("verify: nothing to compare with")


def test_another_study_is_left_out(root: Path) -> None:
    assert verify(root, ["livers"]).figures == ()


def test_a_file_may_name_the_figure_that_it_holds(root: Path) -> None:
    small = root / "results" / STUDY / "auc.json"
    small.write_text('{"clinical": {"test": 0.75}}')
    commit_all(root)
    small.write_text('{"clinical": {"test": 0.76}}')
    assert len(verify(root, [STUDY]).having("within tolerance")) == 1


def test_an_experiment_names_the_first_that_moved(root: Path) -> None:
    many = {str(number): {"patients": number} for number in range(50)}
    put(root, many)
    commit_all(root)
    (root / "params.yaml").write_text((root / "params.yaml").read_text() + "# changed\n")
    put(root, {name: {"patients": -1} for name in many})
    lines = list(verify(root, [STUDY]).lines())
    assert sum("different: results" in line for line in lines) == 20
    assert "  and 30 more: git diff results/" in lines


@pytest.mark.parametrize("name", ["metrics.json", "roc.csv"])
@pytest.mark.parametrize("damage", ["cut", "conflict"])
def test_a_damaged_result_is_named_with_its_mend(root: Path, name: str, damage: str) -> None:
    path = root / "results" / STUDY / name
    text = path.read_text()
    path.write_text(text[:-3] if damage == "cut" else f"{text}<<<<<<< HEAD\n")
    place = f"results/lungs/{name}"
    with pytest.raises(UserFault, match=rf"{place} is damaged .*: git checkout {place}") as raised:
        verify(root, [STUDY])
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value)


def test_a_result_that_was_committed_damaged_is_not_checked_out(root: Path) -> None:
    path = root / "results" / STUDY / "metrics.json"
    path.write_text("{")
    commit_all(root)
    put(root, metrics())
    with pytest.raises(UserFault, match=r"as the last commit has it is damaged .* run make repro"):
        verify(root, [STUDY])


def test_a_lock_in_conflict_is_refused_in_a_sentence(root: Path) -> None:
    lock = root / "dvc.lock"
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}=======\n>>>>>>> other\n")
    with pytest.raises(UserFault, match=r"dvc\.lock holds the marks"):
        verify(root, [STUDY])
