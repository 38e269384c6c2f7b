import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from oncotrail.errors import StudyFileError
from oncotrail.study.file import Demo, StudyFile, models_of, read_studies, read_study
from oncotrail.study.load import BENDABLE, foreach_section, read_yaml
from tests.small_repository import small_repository
from tests.whole_graph import change

REPOSITORY = Path(__file__).resolve().parents[2]
STUDY = "breast_early_fusion"
T4 = f"{STUDY}-t4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The real settings, to break one at a time."""
    (tmp_path / "studies").mkdir()
    for name in ("params.yaml", "dvc.yaml", f"studies/{STUDY}.yaml"):
        (tmp_path / name).write_text((REPOSITORY / name).read_text(encoding="utf-8"))
    return tmp_path


def fault(root: Path) -> str:
    with pytest.raises(StudyFileError) as caught:
        read_studies(root)
    return str(caught.value)


def test_the_committed_studies_are_in_order() -> None:
    studies = read_studies(REPOSITORY)
    assert models_of(STUDY, studies[STUDY])[:2] == ["t4", "t11"]
    assert "clinical_t4_t11" in models_of(STUDY, studies[STUDY])


def test_the_demo_may_bend_what_the_loader_bends() -> None:
    assert tuple(Demo.model_fields) == BENDABLE


def test_a_minimal_study_is_enough(tmp_path: Path) -> None:
    root = small_repository(tmp_path)
    assert read_study(root, "lungs").network == {}


@pytest.mark.parametrize(
    ("steps", "value", "says"),
    [
        (("network", T4, "view"), "t5", rf"network.{T4}.view: 't5' is not a decoded view"),
        (("network", T4, "outcome"), "os", rf"network.{T4}.outcome: 'os' is not a label"),
        (("network", T4, "study"), "breast", rf"network.{T4}.study: found 'breast'; expected"),
        (("network", T4, "epoch"), 3, "unknown key. Did you mean 'epochs'?"),
        (("network", T4, "epochs"), 0, rf"network.{T4}.epochs: found 0"),
        (("split", STUDY, "stratify_by"), "metastases", "Did you mean 'metastasis'?"),
        (("evaluation", STUDY, "outcome"), "dmfs", "is not a label of the cohort"),
        (("fusion", STUDY, "outcome"), "dead", "fusion.breast_early_fusion.outcome: 'dead'"),
        (
            ("fusion", STUDY, "models", "clinical_t4", "networks"),
            [f"{STUDY}-t5"],
            f"'{STUDY}-t5' is not a network. Did you mean",
        ),
        (("fusion", STUDY, "models", "empty"), {"clinical": False}, "it reads nothing"),
        (
            ("fusion", STUDY, "models", "stacked"),
            {"clinical": True, "scores": [f"{STUDY}-t5"]},
            f"models.stacked.scores: '{STUDY}-t5' is not a network. Did you mean",
        ),
        (("network", T4, "out_of_fold"), True, "numbers have no common axes"),
        (("fusion", STUDY, "models", "a-b"), {"clinical": True}, "use lower case letters"),
        (("fusion", STUDY, "models", "t4"), {"clinical": True}, "a network has this name already"),
        (("decode", STUDY, "views", "t5"), {"rows": 32, "columns": 32, "window": None}, "'t5'"),
        (("acquire", STUDY, "path"), "data/raw", "invented is for a demo cohort"),
        (("registry", "other"), {"best_by": "validation_auc"}, "registry.other: expected"),
        (("network", "t4"), None, "network.t4: "),
        (("study", STUDY, "published", "figures", "t12"), {"auc": 0.9}, "'t12' is not a model"),
        (("study", STUDY, "published", "figures", "t4"), {"auc": 90}, "a fraction in"),
        (
            ("study", STUDY, "published", "figures", "t4"),
            {"sensitivty": 0.9},
            "'sensitivty' is not a figure that we report. Did you mean 'sensitivity'?",
        ),
        (("demo", "split"), {}, "demo.split: unknown key"),
        (("demo", "network", f"{STUDY}-t5"), {}, "is not an entry of network"),
        (("demo", "network", T4), {"optimizer": {"rate": 1}}, "Valid here: .*learning_rate"),
        (("netwrok",), {}, "netwrok: unknown key. Did you mean 'network'?"),
    ],
)
def test_a_contradiction_is_told_with_its_place(
    root: Path, steps: tuple[str, ...], value: Any, says: str
) -> None:
    change(root / "studies" / f"{STUDY}.yaml", *steps, value=value)
    assert re.search(says, fault(root)), fault(root)


def remove(path: Path, *steps: str) -> None:
    yaml = YAML()
    content = yaml.load(path)
    inner = content
    for step in steps[:-1]:
        inner = inner[step]
    del inner[steps[-1]]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (("demo", "network", T4), f"demo.network.{T4}: this key is missing"),
        (("demo", "fusion"), f"demo.fusion.{STUDY}: this key is missing"),
        (("demo_cohort",), "this is the demo cohort's place; declare demo_cohort"),
        (("split",), "section network needs a section split; add it."),
        (("cohort", STUDY), f"cohort.{STUDY}: this key is missing"),
        (("acquire",), "acquire: this key is missing"),
    ],
)
def test_what_is_missing_is_told(root: Path, steps: tuple[str, ...], says: str) -> None:
    remove(root / "studies" / f"{STUDY}.yaml", *steps)
    assert says in fault(root)


def test_a_demo_that_bends_into_nonsense_is_told_as_the_demos(root: Path) -> None:
    change(root / "studies" / f"{STUDY}.yaml", "demo", "network", T4, "epochs", value=0)
    assert f"studies/{STUDY}.yaml: demo: network.{T4}.epochs: found 0" in fault(root)


def test_a_study_that_the_graph_does_not_know_is_told(root: Path) -> None:
    text = (root / "studies" / f"{STUDY}.yaml").read_text().replace(STUDY, "lungs")
    (root / "studies" / "lungs.yaml").write_text(text)
    told = fault(root)
    assert "vars does not list studies/lungs.yaml; add it." in told
    assert "sync does not depend on data/lungs/report; add it to its deps." in told


def test_a_study_file_that_is_gone_is_told(root: Path) -> None:
    (root / "studies" / f"{STUDY}.yaml").rename(root / "studies" / "lungs.yaml")
    assert f"vars lists studies/{STUDY}.yaml, which is not there" in fault(root)


@pytest.mark.parametrize("name", ["two-words", "v1.0", "Breast"])
def test_a_file_name_that_no_key_may_hold_is_told(tmp_path: Path, name: str) -> None:
    root = small_repository(tmp_path)
    study = root / "studies" / "lungs.yaml"
    text = study.read_text().replace("lungs", name)
    (root / "studies" / f"{name}.yaml").write_text(text)
    with pytest.raises(StudyFileError, match="is no study name"):
        read_study(root, name)


def test_a_study_that_is_not_there_names_the_nearest(root: Path) -> None:
    with pytest.raises(StudyFileError, match=f"Did you mean '{STUDY}'"):
        read_study(root, "breast_early_fusoin")


def test_faults_of_params_and_study_are_told_together(root: Path) -> None:
    change(root / "params.yaml", "limits", "epoch", value=3)
    change(root / "studies" / f"{STUDY}.yaml", "split", STUDY, "fold", value=3)
    told = fault(root)
    assert "params.yaml: limits.epoch: unknown key. Did you mean 'epochs'?" in told
    assert f"split.{STUDY}.fold: unknown key. Did you mean 'folds'?" in told


def test_every_section_of_the_graph_is_a_section_of_a_study_file() -> None:
    stages = read_yaml(REPOSITORY / "dvc.yaml")["stages"].values()
    sections = {foreach_section(stage) for stage in stages} - {""}
    assert sections <= set(StudyFile.model_fields)
