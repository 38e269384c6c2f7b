from __future__ import annotations

from pathlib import Path

import pytest

from oncotrail.tracking import labels
from tests.tracking.repository import STUDY, Repository


@pytest.mark.parametrize(
    ("stage", "name", "shown"),
    [
        ("train", f"{STUDY}-t4", "t4"),
        ("tune", f"{STUDY}-t4", "tune t4"),
        ("evaluate", STUDY, "evaluate"),
    ],
)
def test_a_run_is_named_without_its_study(
    tmp_path: Path, stage: str, name: str, shown: str
) -> None:
    assert labels.run_name(Repository(tmp_path).record(stage, name)) == shown


def test_only_networks_are_of_that_kind(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    kinds = {
        stage: labels.run_tags(repository.record(stage))["kind"] for stage in ("train", "fuse")
    }
    assert kinds == {"train": "network", "fuse": "stage"}


def test_published_settings_are_not_bent(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    assert labels.run_tags(repository.record("train"))["bent"] == "no"
    bent = repository.record("train", bent={"b": [1, 2], "a": ["x", None]})
    assert labels.run_tags(bent)["bent"] == "a: x -> None; b: 1 -> 2"


def test_a_long_value_is_cut_to_what_mlflow_takes(tmp_path: Path) -> None:
    bent = {f"place{number:04d}": [1, 2] for number in range(1000)}
    assert len(labels.run_tags(Repository(tmp_path).record("train", bent=bent))["bent"]) == 5000
    assert len(labels.texts({"name": "x" * 9000})["name"]) == 6000
