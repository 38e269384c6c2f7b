"""The train stage by each of its routes: what is left serves, and says what the tables say."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.audit import fitted_on_test, rerun
from oncotrail.audit.evidence import NetworkEvidence, network_evidence
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.weights import load_network
from oncotrail.cohort import tables
from oncotrail.errors import UserFault
from oncotrail.record import MemoryRun
from oncotrail.serving.model import load_model
from oncotrail.serving.package import package_network
from oncotrail.study.network import Network
from pipelines import audit
from pipelines.train import Settings, main
from tests.stages.test_train import COHORT, KEY, NETWORK, lay_out

LATE_FUSION = {
    "head": {"embedding": 16, "dropout": 0.4, "classes": 2},
    "loss": {"kind": "negative_log_likelihood", "flooding": 0.1},
    "route": {"kind": "frozen"},
    "augmentation": [],
}
STAGED = {"head_epochs": 1, "last_stages": 2, "last_epochs": 2, "rest_factor": 0.5}
ROUTES: dict[str, dict[str, Any]] = {
    "scratch": {"route": {"kind": "scratch"}, "channels": 1},
    "transfer": {"route": {"kind": "transfer", "unfreezing": STAGED}},
    "frozen": LATE_FUSION,
    "frozen_augmented": LATE_FUSION | {"augmentation": ["horizontal_flip"]},
    "attention": {"attention": {"hidden": 8, "epochs": 30, "learning_rate": 1e-2}},
    "off_the_shelf": {
        "route": {
            "kind": "off_the_shelf",
            "layers": ["features.denseblock1", "features.norm5"],
            "estimator": {"name": "sklearn.svm.SVC", "options": {"kernel": "linear"}},
        }
    },
}


def by(route: str, root: Path) -> MemoryRun:
    run = lay_out(root)
    asked = json.dumps({**NETWORK, **ROUTES[route]})
    (run.folder("tune", KEY) / "settings.json").write_text(asked)
    compute = {"threads": 1, "precision": "float64"}
    values = {"seed": 3, "compute": compute, "limits": {"epochs": 6}, "cohort": COHORT}
    main(Settings.model_validate(values), run)
    return run


@pytest.fixture(scope="module", params=ROUTES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return by(request.param, tmp_path_factory.mktemp(request.param))


def test_the_saved_network_gives_the_tables_numbers(run: MemoryRun) -> None:
    """From the pixels, and from the embeddings, as the audit asks."""
    rows = tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet").set_index("patient")
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    features = tables.read(tables.FEATURES, run.out / "features.parquet").set_index("patient")
    pixels = np.load(run.folder("decode") / "t4.npy")
    in_order = pixels[rows.loc[predictions["patient"], "row"].to_numpy(dtype=int)]
    embeddings = features.loc[predictions["patient"]].filter(like="embedding_").to_numpy()
    loaded = load_network(run.out)
    of_patients = loaded.patients(embeddings, predictions["patient"].tolist())
    again = predictions["patient"].map(of_patients)
    np.testing.assert_allclose(again, predictions["score"], atol=1e-9)
    if loaded.pooling is None:
        np.testing.assert_allclose(loaded.scores(in_order), predictions["score"], atol=1e-9)
    np.testing.assert_allclose(loaded.embeddings(in_order), embeddings, atol=1e-9)


def test_it_learns_what_is_in_the_images(run: MemoryRun) -> None:
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    test = predictions[predictions["role"] == "test"]
    positive = test["patient"].str[1].astype(int) % 2 == 1
    pairs = (
        test.loc[positive, "score"].to_numpy()[:, None] > test.loc[~positive, "score"].to_numpy()
    )
    assert pairs.mean() > 0.7


def test_only_its_own_training_patients_were_learned_from(run: MemoryRun) -> None:
    fitted = tables.read(tables.FITTED_ON, run.out / "fitted_on.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    may = set(split.loc[split["fits"] == "network", "patient"])
    learned = fitted[fitted["kind"] != "selector"]
    assert {KEY, f"{KEY}/normalisation"} <= set(learned["object"])
    assert all(set(patients) <= may for _, patients in learned.groupby("object")["patient"])


def test_the_curves_are_as_long_as_the_training(run: MemoryRun) -> None:
    history = pd.read_csv(run.out / "history.csv")
    asked = json.loads((run.folder("tune", KEY) / "settings.json").read_text())
    shelf = asked.get("route", {}).get("kind") == "off_the_shelf"
    assert len(history) == (0 if shelf else 6)
    assert ("best_epoch" in run.recorded_metrics) is not shelf
    assert ("optimizer.learning_rate" in run.recorded_params) is not shelf
    assert run.recorded_params["start.kind"] == "none"


def test_the_audit_recomputes_the_scores_and_finds_whom_each_part_was_fitted_on(
    run: MemoryRun,
) -> None:
    network = network_of(run)
    links = list(rerun.seen_again(known_of(run), network))
    assert [(count, wrong) for _, count, wrong in links] == [(80, []), (80, [])]
    for part in network.parts:
        objects = fitted_on_test._objects(KEY, part)
        assert fitted_on_test._silent(KEY, objects, network.records(part)) == []
    swapped = network.predictions["score"].to_numpy()[::-1]
    other = replace(network, predictions=network.predictions.assign(score=swapped))
    assert [len(wrong) for _, _, wrong in rerun.seen_again(known_of(run), other)] == [0, 1]


def network_of(run: MemoryRun) -> NetworkEvidence:
    """A trained network as the audit reads it."""
    asked = Network.read(json.loads((run.folder("tune", KEY) / "settings.json").read_text()), KEY)
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    declared: Any = SimpleNamespace(seed=3, networks={KEY: asked})
    return network_evidence(KEY, run.out, split, declared)


def known_of(run: MemoryRun) -> Any:
    """What else the audit knows."""
    store = np.load(run.folder("decode") / "t4.npy")
    return SimpleNamespace(
        again=audit.again,
        pixels=tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet"),
        views={"t4": SimpleNamespace(made=SimpleNamespace(count=1), store=store)},
    )


def test_served_it_gives_the_same_scores(run: MemoryRun, tmp_path: Path) -> None:
    package_network("study", "t4", run.out, tmp_path / "model")
    served = load_model(tmp_path / "model").networks[KEY]
    pixels = np.load(run.folder("decode") / "t4.npy")[:5]
    expected = load_network(run.out)
    assert np.array_equal(served.scores(pixels), expected.scores(pixels))
    names = ["a", "b", "a", "c", "c"]
    embeddings = expected.embeddings(pixels)
    assert served.patients(embeddings, names) == expected.patients(embeddings, names)


def test_a_frozen_trunk_is_run_once_over_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 patients in batches of 64: twice, whatever the number of epochs."""
    seen: list[int] = []
    features = EmbeddingNetwork.features

    def counted(self: EmbeddingNetwork, pixels: Any) -> Any:
        seen.append(len(pixels))
        return features(self, pixels)

    monkeypatch.setattr(EmbeddingNetwork, "features", counted)
    run = by("frozen", tmp_path)
    assert seen == [64, 16]
    assert len(list((run.work / "features").iterdir())) == 1


def test_pretrained_weights_that_are_not_there_stop_the_stage(tmp_path: Path) -> None:
    run = lay_out(tmp_path)
    asked = json.dumps({**NETWORK, "weights": {"pretrain": "shapes"}})
    (run.folder("tune", KEY) / "settings.json").write_text(asked)
    compute = {"threads": 1, "precision": "float64"}
    values = {"seed": 3, "compute": compute, "limits": {"epochs": 6}, "cohort": COHORT}
    with pytest.raises(UserFault, match=r"pretrain/shapes holds no pretrained network"):
        main(Settings.model_validate(values), run)
