import pytest
from pydantic import Field

from oncotrail.errors import StudyFileError
from oncotrail.study.base import Settings, nearest
from oncotrail.study.cohort import Cohort
from oncotrail.study.split import SplitPlan


class Inner(Settings):
    epochs: int = Field(ge=1)


class Outer(Settings):
    inner: Inner
    entries: dict[str, Inner] = Field(default_factory=dict)


def fault(values: dict[str, object], model: type[Settings] = Outer) -> str:
    with pytest.raises(StudyFileError) as caught:
        model.read(values, "studies/x.yaml")
    return str(caught.value)


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    told = fault({"inner": {"epochs": 1, "epochz": 2}})
    assert told == "studies/x.yaml: inner.epochz: unknown key. Did you mean 'epochs'?"


def test_the_nearest_is_looked_for_where_the_key_stands() -> None:
    told = fault({"inner": {"epochs": 1}, "entries": {"a": {"epochs": 1, "epoch": 1}}})
    assert "entries.a.epoch: unknown key. Did you mean 'epochs'?" in told


def test_a_key_like_none_gets_all_valid_ones() -> None:
    assert "Valid here: entries, inner." in fault({"inner": {"epochs": 1}, "qqq": 1})


def test_all_faults_are_told_at_once() -> None:
    told = fault({"inner": {"epochs": 0}, "entries": {"a": {}}, "innerr": 1})
    assert len(told.splitlines()) == 3
    assert "entries.a.epochs: this key is missing; add it." in told
    assert "inner.epochs: found 0; input should be greater than or equal to 1." in told


def test_a_rule_over_several_keys_is_told_in_its_own_words() -> None:
    values = {"validation": 0.5, "test": 0.6, "stratify_by": "OS", "folds": 2, "fusion_folds": 0}
    told = fault(values, SplitPlan)
    assert told == "studies/x.yaml: validation 0.5 + test 0.6 leave nobody to train on."


def test_a_number_that_is_not_finite_is_refused() -> None:
    assert "found nan" in fault({"validation": float("nan")}, SplitPlan)


def test_settings_cannot_be_changed() -> None:
    settings = Inner(epochs=1)
    with pytest.raises(ValueError, match="frozen"):
        settings.epochs = 2  # type: ignore[misc]


def test_nearest_names_the_closest() -> None:
    assert nearest("adan", ["adam", "sgd"]) == "Did you mean 'adam'?"
    assert nearest("adan", []) == "Valid here: nothing."


def test_flat_gives_every_value_a_dotted_name() -> None:
    assert Outer(inner=Inner(epochs=2)).flat() == {"inner.epochs": 2}


def test_a_union_is_told_by_its_kind() -> None:
    values = {
        "patient": "id",
        "site": "s",
        "outcomes": {"death": {"kind": "label", "colum": "died"}},
        "views": {"ct": {"modality": "CT", "means": "slice"}},
        "clinical": {},
    }
    assert "Did you mean 'column'?" in fault(values, Cohort)
