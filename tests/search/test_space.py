from typing import Any

import pytest

from oncotrail.errors import StudyFileError
from oncotrail.search import space
from oncotrail.study.search import Search
from tests.search.searching import DECLARED, SPACE

SETTINGS = {"optimizer": {"learning_rate": 1e-4}, "augmentation": {"flips": []}, "batch_size": 8}


def search(*parts: dict[str, Any], trials: int = 5) -> Search:
    return Search.read({"trials": trials, "space": list(parts)}, "network.x.search")


def test_settings_are_looked_up_and_put_back() -> None:
    asked = search(*SPACE)
    found = space.declared(SETTINGS, asked.space, "network.x")
    assert found == DECLARED
    sampled = space.encoded({**found, "augmentation.flips": ["horizontal_flip"]})
    back = space.parameters(asked.space, sampled)
    assert back["augmentation.flips"] == ["horizontal_flip"]
    changed = space.applied(SETTINGS, back)
    assert changed["augmentation"] == {"flips": ["horizontal_flip"]}
    assert SETTINGS["augmentation"] == {"flips": []}


def test_every_kind_of_number_becomes_its_distribution() -> None:
    asked = search(
        {"setting": "batch_size", "low": 8, "high": 64, "step": 8},
        {"setting": "epochs", "low": 1, "high": 100, "log": True},
        {"setting": "optimizer.learning_rate", "low": 1e-6, "high": 1e-2, "log": True},
        {"setting": "clip_norm", "low": 0.5, "high": 2.0, "step": 0.5},
    )
    found = space.distributions(asked.space)
    assert [type(one).__name__ for one in found.values()] == [
        "IntDistribution",
        "IntDistribution",
        "FloatDistribution",
        "FloatDistribution",
    ]
    assert found["batch_size"].step == 8
    assert [found[name].log for name in ("epochs", "optimizer.learning_rate")] == [True, True]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"setting": "batch_size", "low": 16, "high": 64}, r"is 8 as declared, outside \[16, 64\]"),
        ({"setting": "batch_size", "low": 2, "high": 12, "step": 5}, "is 8 as declared, outside"),
        ({"setting": "batch_size", "choices": [16, 32]}, "outside 16, 32; widen the space"),
        ({"setting": "optimiser.learning_rate", "low": 1, "high": 2}, "Did you mean 'optimizer'"),
        ({"setting": "optimizer.rate", "low": 1, "high": 2}, "no setting optimizer.rate"),
        ({"setting": "batch_size.x", "low": 1, "high": 2}, "no setting batch_size.x"),
    ],
)
def test_declared_settings_outside_the_space_are_refused(part: dict[str, Any], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        space.declared(SETTINGS, search(part).space, "network.x")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"low": 2, "high": 1}, "low 2 must be below high 1"),
        ({"low": 0, "high": 1, "log": True}, "low 0 has no logarithm"),
        ({"low": 1, "high": 2, "log": True, "step": 1}, "steps are even and logarithms are not"),
        ({"low": 0, "high": 10, "step": 3}, "no whole number of steps of 3 leads to 10"),
        ({"choices": [1]}, "at least 2"),
        ({"choices": [True, 1]}, "two choices are equal"),
        ({"choices": [[8, 16], [8.0, 16]]}, "two choices are equal"),
    ],
)
def test_a_space_that_cannot_be_is_refused(part: dict[str, Any], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        search({"setting": "batch_size", **part})


def test_a_setting_has_one_line() -> None:
    part = {"setting": "batch_size", "choices": [8, 16]}
    with pytest.raises(StudyFileError, match="space names batch_size twice"):
        search(part, part)


@pytest.mark.parametrize("setting", ["seeds", "out_of_fold", "search.trials"])
def test_what_is_asked_is_not_searched(setting: str) -> None:
    with pytest.raises(StudyFileError, match="says what is asked and not how a network learns"):
        Search.read({"trials": 2, "space": [{"setting": setting, "choices": [1, 2]}]}, "search")


def test_trials_need_something_to_try() -> None:
    with pytest.raises(StudyFileError, match="5 trials and an empty space"):
        search()
    assert search(trials=0).space == ()


@pytest.mark.parametrize(
    ("objective", "setting", "says"),
    [
        ("validation_loss", "loss.positive_weight", "each trial would be measured by another one"),
        ("validation_loss", "loss.flooding", "each trial would be measured by another one"),
        ("validation_loss", "loss.kind", "each trial would be measured by another one"),
        ("validation_auc", "attention.hidden", "all trials would be equal"),
    ],
)
def test_what_makes_trials_incomparable_is_not_searched(
    objective: str, setting: str, says: str
) -> None:
    part = {"setting": setting, "choices": [0.5, 1]}
    with pytest.raises(StudyFileError, match=says):
        Search.read({"trials": 2, "space": [part], "objective": objective}, "search")


def test_the_loss_is_searched_where_another_figure_decides() -> None:
    assert search({"setting": "loss.positive_weight", "low": 1, "high": 4}).space
