from __future__ import annotations

import json
from pathlib import Path

import pytest

from oncotrail.errors import AuditFailed, ModelFault, StudyFileError
from oncotrail.record import MemoryRun
from oncotrail.serving.catalogue import Catalogue
from oncotrail.serving.manifest import Manifest
from pipelines.register import main
from tests.serving import study

NETWORK = study.NETWORK
FIGURES = {
    "toy-t4": {"validation_auc": 0.6, "test_auc": 0.99},
    "toy-clinical": {"validation_auc": 0.8, "test_auc": 0.7},
    "toy-clinical_t4": {"validation_auc": 0.8, "test_auc": 0.9},
}


def lay_out(root: Path, figures: dict[str, dict[str, float]] = FIGURES) -> MemoryRun:
    """What train, fuse, evaluate and audit leave; nothing here looks into the weights."""
    trained = MemoryRun(root, "toy", "train", NETWORK)
    described = {"view": "t4", "outcome": "metastasis"}
    (trained.out / "network.json").write_text(json.dumps(described))
    (trained.out / "weights.safetensors").write_text("weights")
    study.finish(trained)
    fused = MemoryRun(root, "toy", "fuse")
    for name, networks in (("clinical", []), ("clinical_t4", [NETWORK])):
        (fused.out / name).mkdir(exist_ok=True)
        columns = {"numbers": ["age"], "categories": {"her2": ["0", "1"]}}
        learner = {"outcome": "metastasis", "networks": networks, "columns": columns}
        (fused.out / name / "model.json").write_text(json.dumps(learner))
        (fused.out / name / "learner.skops").write_text(f"forest of {name}")
        (fused.out / name / "columns.parquet").write_text("patients' values")
    study.finish(fused)
    evaluated = MemoryRun(root, "toy", "evaluate")
    for model, values in figures.items():
        evaluated.reports_on(model, values)
    study.finish(evaluated)
    (MemoryRun(root, "toy", "audit").out / "audit.json").write_text("{}")
    return MemoryRun(root, "toy", "register")


def test_every_model_has_a_folder_with_all_that_serving_needs_and_no_patient(
    tmp_path: Path,
) -> None:
    run = lay_out(tmp_path)
    main(study.register_settings(), run)
    found = {path.relative_to(run.out).as_posix() for path in run.out.rglob("*") if path.is_file()}
    network = {f"networks/{NETWORK}/network.json", f"networks/{NETWORK}/weights.safetensors"}
    learner = {"learner/model.json", "learner/learner.skops"}
    needed = {"t4": network, "clinical": learner, "clinical_t4": network | learner}
    files = {f"{model}/{file}" for model, own in needed.items() for file in own}
    assert found == files | {f"{model}/serving.json" for model in needed} | {"models.json"}


def test_a_manifest_says_what_to_give_and_what_comes_back(tmp_path: Path) -> None:
    run = lay_out(tmp_path)
    main(study.register_settings(), run)
    manifest = Manifest.read(run.out / "clinical_t4")
    assert (manifest.kind, manifest.outcome) == ("fusion", "metastasis")
    assert manifest.views == ("t4",)
    assert manifest.clinical == study.COHORT.clinical
    assert Manifest.read(run.out / "t4").clinical == {}


def test_the_best_by_validation_is_the_challenger_and_of_equals_the_simpler(
    tmp_path: Path,
) -> None:
    """By test the network would win, which nobody may know."""
    run = lay_out(tmp_path)
    main(study.register_settings(), run)
    catalogue = Catalogue.read(run.out / "models.json")
    assert catalogue.challenger == "clinical"
    assert {entry.model: entry.metrics for entry in catalogue.models} == {
        "t4": {"validation_auc": 0.6},
        "clinical": {"validation_auc": 0.8},
        "clinical_t4": {"validation_auc": 0.8},
    }
    assert {entry.model: entry.run for entry in catalogue.models} == {
        "t4": "key-of-train-toy-t4",
        "clinical": "key-of-fuse-toy/clinical",
        "clinical_t4": "key-of-fuse-toy/clinical_t4",
    }
    assert "test_auc" not in (run.out / "models.json").read_text()


def test_run_twice_it_writes_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for root in (tmp_path / "a", tmp_path / "b"):
        run = lay_out(root)
        main(study.register_settings(), run)
        files = sorted(path for path in run.out.rglob("*") if path.is_file())
        written.append({path.relative_to(run.out): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    digests = []
    for weights in ("weights", "other weights"):
        run = lay_out(tmp_path / weights)
        (run.folder("train", NETWORK) / "weights.safetensors").write_text(weights)
        main(study.register_settings(), run)
        catalogue = Catalogue.read(run.out / "models.json")
        digests.append({entry.model: entry.digest for entry in catalogue.models})
    changed = {model for model in digests[0] if digests[0][model] != digests[1][model]}
    assert changed == {"t4", "clinical_t4"}


def test_without_an_audit_nothing_is_registered(tmp_path: Path) -> None:
    run = lay_out(tmp_path)
    (run.folder("audit") / "audit.json").unlink()
    with pytest.raises(AuditFailed, match="has not passed its audit"):
        main(study.register_settings(), run)


def test_a_model_that_evaluate_does_not_know_is_named(tmp_path: Path) -> None:
    figures = {**FIGURES, "toy-clinical": {"test_auc": 0.7}}
    with pytest.raises(ModelFault, match=r"no validation_auc for \['clinical'\]"):
        main(study.register_settings(), lay_out(tmp_path, figures))


def test_a_network_that_is_not_declared_stops_it(tmp_path: Path) -> None:
    run = lay_out(tmp_path)
    run.folder("train", "toy-old").mkdir()
    with pytest.raises(StudyFileError, match="toy-old"):
        main(study.register_settings(), run)


def test_the_record_shows_the_challenger(tmp_path: Path) -> None:
    run = lay_out(tmp_path)
    main(study.register_settings(), run)
    assert run.recorded_params == {"best_by": "validation_auc", "challenger": "clinical"}
    assert run.recorded_metrics == {"validation_auc": 0.8}
    assert run.artifacts == [run.out / "models.json"]
