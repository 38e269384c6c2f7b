from __future__ import annotations

import json
from pathlib import Path

import pytest

from oncotrail.errors import UserFault
from oncotrail.tracking.pages import Page, pages_of
from tests.tracking.repository import STUDY, Repository


def pages(repository: Repository) -> dict[str, Page]:
    return {page.name: page for page in pages_of(repository.root)}


@pytest.fixture
def study(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    repository.whole_study()
    return repository


def test_one_page_per_record_and_fusion_model(study: Repository) -> None:
    names = [page.name for page in pages_of(study.root)]
    expected = {"split", "t4", "t11", "fuse", "clinical", "clinical_t4", "evaluate", "register"}
    assert set(names) == expected
    assert len(names) == len(expected)
    assert names.index("fuse") < names.index("clinical")


def test_a_page_is_the_same_on_another_machine(study: Repository, tmp_path: Path) -> None:
    clone = study.clone(tmp_path / "clone")
    here, there = pages(study), pages(clone)
    assert {n: p.digest() for n, p in here.items()} == {n: p.digest() for n, p in there.items()}


@pytest.mark.parametrize("what", ["params", "metrics", "history", "tags", "on_members"])
def test_a_page_that_says_more_has_another_digest(study: Repository, what: str) -> None:
    before = pages(study)["t4"].digest()
    stage = "evaluate" if what == "on_members" else f"train/{STUDY}-t4"
    path = study.root / "data" / STUDY / stage / "run.json"
    record = json.loads(path.read_text())
    added = {
        "params": {"params": {"more": 1}},
        "metrics": {"metrics": {"more": 1.0}},
        "history": {"history": {"more": [[1, 1.0]]}},
        "tags": {"recipe": "published"},
        "on_members": {"on_members": {f"{STUDY}-t4": {"more": 1.0}}},
    }[what]
    path.write_text(json.dumps(record | added))
    assert pages(study)["t4"].digest() != before


def test_seconds_and_memory_are_shown_where_they_are_known(study: Repository) -> None:
    sidecar = study.root / ".oncotrail" / "runs" / f"{study.key('train', 't4')}.json"
    sidecar.parent.mkdir(parents=True)
    before = pages(study)["t4"]
    known = {"figures": {"system/seconds": 12.5}, "facts": {"python": "3.11"}}
    sidecar.write_text(json.dumps(known))
    after = pages(study)["t4"]
    assert (before.system, after.system) == ({}, {"system/seconds": 12.5})
    assert (before.facts, after.facts) == ({}, {"python": "3.11"})
    assert after.digest() == before.digest()


def test_no_data_no_pages(tmp_path: Path) -> None:
    assert pages_of(tmp_path) == []


def test_images_below_a_stage_are_not_searched(study: Repository) -> None:
    """A cohort has tens of thousands of files; a record is never that deep."""
    study.file("demo", "cohort/images/t4/run.json", "not a record")
    assert len(pages_of(study.root)) == 8


def test_a_damaged_record_is_named(study: Repository) -> None:
    study.file("split", "run.json", '{"study": "breast"}')
    with pytest.raises(UserFault, match=r"split/run\.json is not a run's record"):
        pages_of(study.root)


def test_a_networks_page_says_what_was_bent_before_train(study: Repository) -> None:
    """Tune read the demo's learning rate; train knows only the limit of its own."""
    tuned = study.record("tune", f"{STUDY}-t4", bent={"optimizer.learning_rate": [1, 2]})
    study.write(tuned)
    said = "network.epochs: 1000 -> 2; optimizer.learning_rate: 1 -> 2"
    assert pages(study)["t4"].tags["bent"] == said
