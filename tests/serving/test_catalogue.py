from __future__ import annotations

from pathlib import Path

import pytest

from oncotrail.errors import ModelFault
from oncotrail.serving.catalogue import Catalogue, Entry, catalogue_of


def entry(model: str, auc: float, networks: int = 0) -> Entry:
    return Entry(model, "fusion", "d", "r", ("n",) * networks, {"validation_auc": auc})


@pytest.mark.parametrize(
    ("entries", "best"),
    [
        ((entry("a", 0.6), entry("b", 0.7)), "b"),
        ((entry("a", 0.7, networks=2), entry("b", 0.7, networks=1)), "b"),
        ((entry("b", 0.7), entry("a", 0.7)), "a"),
    ],
)
def test_the_best_is_the_highest_then_the_simplest_then_the_first(
    entries: tuple[Entry, ...], best: str
) -> None:
    assert catalogue_of("study", "validation_auc", entries).challenger == best


def test_it_reads_what_it_wrote(tmp_path: Path) -> None:
    catalogue = catalogue_of("study", "validation_auc", [entry("a", 0.6, 1), entry("b", 0.7)])
    catalogue.write(tmp_path)
    assert Catalogue.read(tmp_path / "models.json") == catalogue


def test_a_study_without_models_has_no_best() -> None:
    with pytest.raises(ModelFault, match="for any model"):
        catalogue_of("study", "validation_auc", [])


def test_a_damaged_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text('{"models": [{}]}')
    with pytest.raises(ModelFault, match="is no list of models"):
        Catalogue.read(tmp_path / "models.json")
