from pathlib import Path

import pytest
from pydantic import Field

from oncotrail.errors import StudyFileError
from oncotrail.study import base
from oncotrail.study.load import load, merge, parameters_of, read_yaml, study_names, study_of
from oncotrail.study.split import SplitPlan
from tests.small_repository import STUDY, small_repository

NETWORKS = """
network:
  lungs-ct: {epochs: 1000, optimizer: {rate: 1.0e-6, decay: 0}, flips: [h, v]}
demo:
  network:
    lungs-ct: {optimizer: {rate: 1e-3}, flips: [h]}
"""


class Limits(base.Settings):
    epochs: int | None


class Optimizer(base.Settings):
    rate: float
    decay: float


class Net(base.Settings):
    epochs: int = Field(ge=1)
    optimizer: Optimizer
    flips: tuple[str, ...]


class OfMember(base.Settings):
    seed: int
    limits: Limits
    network: Net


class FanIn(base.Settings):
    network: dict[str, Net]


class OfSplit(base.Settings):
    seed: int
    split: SplitPlan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = small_repository(tmp_path)
    study = root / "studies" / "lungs.yaml"
    study.write_text(study.read_text() + NETWORKS)
    return root


def test_the_demo_bends_and_limits_cap(root: Path) -> None:
    loaded = load(OfMember, "lungs-ct", root)
    assert loaded.recipe == "demo"
    assert loaded.settings.limits.epochs == 3
    assert loaded.settings.network.optimizer == Optimizer(rate=1e-3, decay=0)
    assert loaded.settings.network.flips == ("h",)


def test_what_was_bent_is_told_with_both_values(root: Path) -> None:
    assert load(OfMember, "lungs-ct", root).bent == {
        "limits.epochs": ("no limit", 3),
        "network.lungs-ct.optimizer.rate": (1e-6, 1e-3),
        "network.lungs-ct.flips": (["h", "v"], ["h"]),
    }


def test_the_published_recipe_is_neither_bent_nor_capped(root: Path) -> None:
    loaded = load(OfMember, "lungs-ct", root, recipe="published")
    assert loaded.settings.limits.epochs is None
    assert loaded.settings.network.optimizer.rate == 1e-6
    assert loaded.bent == {}


def test_a_fan_in_stage_gets_every_member(root: Path) -> None:
    assert set(load(FanIn, STUDY, root).settings.network) == {"lungs-ct"}


def test_a_missing_entry_names_the_nearest(root: Path) -> None:
    with pytest.raises(StudyFileError, match=r"network\.lungs-cd is missing.*'lungs-ct'"):
        load(OfMember, "lungs-cd", root)


def test_a_missing_limit_says_to_write_null(root: Path) -> None:
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 3, ", ""))
    with pytest.raises(StudyFileError, match=r"limits\.epochs is missing; write null"):
        load(OfMember, "lungs-ct", root)


def test_an_unknown_recipe_is_refused(root: Path) -> None:
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("recipe: demo", "recipe: quick"))
    with pytest.raises(StudyFileError, match="'quick'; expected demo or published"):
        load(OfMember, "lungs-ct", root)


class TestParameters:
    def test_of_what_the_demo_bends(self) -> None:
        assert parameters_of(OfMember, "lungs-ct") == {
            "params.yaml": ["limits.epochs", "recipe", "seed"],
            "studies/lungs.yaml": ["demo.network.lungs-ct", "network.lungs-ct"],
        }

    def test_of_a_whole_section(self) -> None:
        assert parameters_of(FanIn, STUDY) == {
            "params.yaml": ["recipe"],
            "studies/lungs.yaml": ["demo.network", "network"],
        }

    def test_of_what_nothing_bends(self) -> None:
        assert parameters_of(OfSplit, STUDY) == {
            "params.yaml": ["seed"],
            "studies/lungs.yaml": ["split.lungs"],
        }


class TestYaml:
    def test_scientific_notation_is_a_number(self, tmp_path: Path) -> None:
        """YAML 1.1 reads 1e-6 as text, and a learning rate would be refused."""
        (tmp_path / "a.yaml").write_text("rate: 1e-6\nno: no")
        assert read_yaml(tmp_path / "a.yaml") == {"rate": 1e-6, "no": "no"}

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("a: [1", "not valid YAML.*line 1"),
            ("a: 1\na: 2", "not valid YAML.*duplicate key"),
            ("- 1\n- 2", "holds list; expected sections"),
            ("", "holds NoneType"),
        ],
    )
    def test_what_is_no_mapping_is_refused(self, tmp_path: Path, text: str, says: str) -> None:
        (tmp_path / "a.yaml").write_text(text)
        with pytest.raises(StudyFileError, match=says):
            read_yaml(tmp_path / "a.yaml")

    def test_a_missing_file_says_where_to_stand(self, tmp_path: Path) -> None:
        with pytest.raises(StudyFileError, match="run from the repository's root"):
            read_yaml(tmp_path / "gone.yaml")


def test_merging_leaves_both_sides_as_they_were() -> None:
    below, above = {"a": {"x": 1, "y": 2}, "b": [1, 2]}, {"a": {"y": 3}, "b": [9]}
    assert merge(below, above) == {"a": {"x": 1, "y": 3}, "b": [9]}
    assert below == {"a": {"x": 1, "y": 2}, "b": [1, 2]}


def test_keys_belong_to_their_study(root: Path) -> None:
    assert study_of("lungs-ct") == study_of("lungs") == "lungs"
    assert study_names(root) == ["lungs"]
