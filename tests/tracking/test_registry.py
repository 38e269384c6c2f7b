from __future__ import annotations

from oncotrail.tracking.registry import declared_in
from oncotrail.tracking.store import open_store
from oncotrail.tracking.sync import sync
from tests.tracking.contents import run_of
from tests.tracking.repository import FIGURES, FUSIONS, STUDY, Repository

BEST = f"oncotrail-{STUDY}"


def test_every_model_and_the_best_one_are_declared(repository: Repository) -> None:
    repository.whole_study()
    names = {
        name: alias for model in declared_in(repository.root) for name, alias in model.names.items()
    }
    own = {f"oncotrail-{STUDY}-{model}": "current" for model in ("t4", "t11", *FUSIONS)}
    assert names == own | {BEST: "challenger"}


def test_a_version_leads_to_its_run_and_to_how_it_is_called(repository: Repository) -> None:
    repository.whole_study()
    sync(repository.root)
    client = open_store(repository.root).client
    version = client.get_model_version_by_alias(BEST, "challenger")
    key = f"{repository.key('fuse')}/clinical_t4"
    assert version.run_id == run_of(repository.root, key).info.run_id
    assert version.tags["validation_auc"] == "0.8000"
    assert "| `t4` | path of an image |" in version.description
    assert "| `age` | 18 to 100 years |" in version.description
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    assert (logged.name, str(logged.status)) == ("clinical_t4", "READY")
    assert logged.source_run_id == version.run_id


def test_the_best_and_its_own_model_share_one_set_of_files(repository: Repository) -> None:
    repository.whole_study()
    sync(repository.root)
    client = open_store(repository.root).client
    best = client.get_model_version_by_alias(BEST, "challenger")
    own = client.get_model_version_by_alias(f"{BEST}-clinical_t4", "current")
    assert best.source == own.source


def test_the_alias_goes_to_another_best_and_back(repository: Repository) -> None:
    """No version is made twice: the digest tells that it is there."""
    repository.whole_study()
    sync(repository.root)
    client = open_store(repository.root).client
    first = client.get_model_version_by_alias(BEST, "challenger")
    repository.evaluate({**FIGURES, "clinical": {**FIGURES["clinical"], "validation_auc": 0.9}})
    repository.register()
    assert sync(repository.root).versions == 1
    other = client.get_model_version_by_alias(BEST, "challenger")
    assert (other.version, other.tags["validation_auc"]) != (first.version, "0.8000")
    repository.evaluate()
    repository.register()
    back = sync(repository.root)
    assert (back.versions, back.aliases) == (0, 1)
    assert client.get_model_version_by_alias(BEST, "challenger").version == first.version


def test_a_person_may_promote_a_version_without_sync_minding(repository: Repository) -> None:
    repository.whole_study()
    sync(repository.root)
    client = open_store(repository.root).client
    client.set_registered_model_alias(BEST, "champion", 1)
    assert sync(repository.root).aliases == 0
    assert client.get_model_version_by_alias(BEST, "champion").version == 1
