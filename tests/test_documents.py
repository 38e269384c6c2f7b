"""What README, architecture and params.yaml say of the program, compared with the program."""

import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from oncotrail.cohort.split import split_patients
from oncotrail.demo import cohort, table
from oncotrail.demo.outcome import EFFECTS
from oncotrail.study.file import read_study
from oncotrail.study.load import read_yaml

ROOT = Path(__file__).resolve().parent.parent
STUDY = "breast_early_fusion"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_dvc_is_called_in_an_activated_environment(path: Path) -> None:
    """By its path it starts, but the stages' `python` is then the system's."""
    assert ".venv/bin/dvc" not in path.read_text(encoding="utf-8")


def test_what_metrics_show_shows_is_said() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"^dvc metrics show +# (.*)$", readme, re.MULTILINE)
    (shown,) = read_yaml(ROOT / "dvc.yaml")["stages"]["evaluate"]["do"]["metrics"]
    assert set(shown) == {"results/${key}/auc.json"}
    assert said.startswith("each model's AUCs")


def test_the_layers_are_those_that_are_held() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"```\n(cli > .*?)```", page, re.DOTALL)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    held = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert layers(said) == [rooms(layer) for layer in held]


def test_params_name_the_number_of_patients_from_which_fuse_can_resample() -> None:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (named,) = re.findall(r"Fewer than (\d+) can leave fuse", params)
    study = read_study(ROOT, STUDY)
    resampling = study.fusion[STUDY].resampling
    assert resampling is not None
    assert f"the {resampling.neighbours + 1} patients" in params
    enough = [count for count in range(70, 120) if smaller_class(count) > resampling.neighbours]
    assert set(range(int(named), 120)) <= set(enough)
    assert int(named) - 1 not in enough


def smaller_class(patients: int) -> int:
    """How many patients that fit the fusion are in the smaller class, in a demo of that many."""
    seed = read_yaml(ROOT / "params.yaml")["seed"]
    blocks = cohort.blocks(seed, patients, EFFECTS["planted"])
    columns = pd.concat(
        pd.DataFrame(table.columns(one.patients, one.people, one.blanks, one.outcomes))
        for one in blocks
    )
    study = read_study(ROOT, STUDY)
    (adults,) = study.cohort[STUDY].eligibility
    columns = columns[~(pd.to_numeric(columns[adults.column]) < adults.minimum)]
    names = {"patient_id": "patient", "hospital": "site"}
    drawn = columns.rename(columns=names).reset_index(drop=True)
    drawn = drawn[["patient", "site", "metastasis"]].astype({"metastasis": int})
    plan = study.split[STUDY]
    split = split_patients(drawn, **plan.model_dump(), seed=seed).frame
    fitting = split[(split["role"] == "train") & (split["fits"] == "fusion")]
    return int(fitting.merge(drawn, on="patient")["metastasis"].value_counts().min())


def layers(text: str) -> list[set[str]]:
    return [rooms(layer) for layer in text.split(">")]


def rooms(layer: str) -> set[str]:
    """The rooms of one layer; import-linter has those that are to come in brackets."""
    return {room.strip(" ()\n") for room in layer.split("|")}
