"""Split, fuse, evaluate and register over a cross-validation of networks with two seeds.

The networks' tables are written by hand, as train leaves them; everything after them is real.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from oncotrail.cohort import tables
from oncotrail.fusion.archive import load_learner
from oncotrail.record import MemoryRun, RunRecord, folder
from oncotrail.serving.catalogue import Catalogue
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from pipelines import evaluate, fuse, register, split
from tests.fusion.crossed import FOLDS, SEEDS, SPLIT, crossed, plan
from tests.fusion.hand_made import COHORT, FUSION, NETWORKS, SEED, STUDY, a_study, networks
from tests.serving.study import finish

WHOLE = FOLDS
STACKED = plan(clinical={"clinical": True}, stacked={"clinical": True, "scores": list(NETWORKS)})


def run_all(root: Path, fusion: Fusion, *, out_of_fold: bool) -> MemoryRun:
    """Every stage; the run of fuse."""
    cohort = a_study().cohort
    tables.write(COHORT.table(), cohort, folder(root, STUDY, "acquire") / "cohort.parquet")
    asked = {"seed": 3, "cohort": COHORT, "split": SPLIT}
    split.main(split.Settings.model_validate(asked), MemoryRun(root, STUDY, "split"))
    for network in NETWORKS:
        trained(MemoryRun(root, STUDY, "train", network))
    declared = {
        name: network.model_copy(update={"out_of_fold": out_of_fold, "seeds": len(SEEDS)})
        for name, network in networks().items()
    }
    fused = MemoryRun(root, STUDY, "fuse")
    fuse.main(fuse.Settings(seed=SEED, cohort=COHORT, network=declared, fusion=fusion), fused)
    finish(fused)
    run = MemoryRun(root, STUDY, "evaluate")
    judged = Evaluation(outcome="metastasis", confidence=0.95, threshold="youden")
    evaluate.main(evaluate.Settings(cohort=COHORT, network=declared, evaluation=judged), run)
    finish(run)
    (MemoryRun(root, STUDY, "audit").out / "audit.json").write_text("{}")
    settings = {
        "cohort": COHORT,
        "network": declared,
        "fusion": fusion,
        "registry": {"best_by": "validation_auc"},
    }
    register.main(register.Settings.model_validate(settings), MemoryRun(root, STUDY, "register"))
    return fused


def trained(run: MemoryRun) -> None:
    """What train leaves of a network: all parts in its tables, the main part at the root."""
    given = crossed(tables.read(tables.SPLIT, run.folder("split") / "split.parquet"))
    tables.write(tables.FEATURES, given.features[run.key], run.out / "features.parquet")
    tables.write(tables.PREDICTIONS, given.predictions[run.key], run.out / "predictions.parquet")
    (run.out / "history.csv").write_text("epoch,train_loss,validation_loss\n1,0.7,0.8\n2,0.6,0.7\n")
    described = {"view": "t4", "outcome": "metastasis"}
    (run.out / "network.json").write_text(json.dumps(described))
    (run.out / "weights.safetensors").write_text("of the whole")
    other = run.out / "parts" / "fold0"
    other.mkdir(parents=True)
    (other / "weights.safetensors").write_text("of fold 0")
    finish(run)


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return run_all(tmp_path_factory.mktemp("crossed"), FUSION, out_of_fold=False)


@pytest.fixture(scope="module")
def root(fused: MemoryRun) -> Path:
    return fused.root


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stacked")
    run_all(root, STACKED, out_of_fold=True)
    return root


def predictions(root: Path, stage: str, member: str | None = None) -> pd.DataFrame:
    path = folder(root, STUDY, stage, member) / "predictions.parquet"
    return tables.read(tables.PREDICTIONS, path)


def the_split(root: Path) -> pd.DataFrame:
    return tables.read(tables.SPLIT, folder(root, STUDY, "split") / "split.parquet")


def place(root: Path, model: str, fold: int) -> Path:
    """Where a fusion of an outer fold lies."""
    own = folder(root, STUDY, "fuse") / model
    return own if fold == WHOLE else own / f"fold{fold}"


@pytest.mark.parametrize("fold", range(FOLDS + 1))
def test_every_folds_learner_lies_in_its_place_and_gives_its_scores(root: Path, fold: int) -> None:
    rows = predictions(root, "fuse")
    for model in FUSION.models:
        here = rows[(rows["model"] == f"{STUDY}-{model}") & (rows["outer_fold"] == fold)]
        seen = pd.read_parquet(place(root, model, fold) / "columns.parquet")
        again = load_learner(place(root, model, fold)).predict(seen)
        said = here.set_index("patient")["score"]
        np.testing.assert_allclose(again.loc[said.index], said, atol=1e-12, rtol=0)


def test_a_models_page_shows_the_learner_that_is_kept_and_counts_every_one(
    fused: MemoryRun,
) -> None:
    shown = {path.relative_to(fused.out).as_posix() for path in fused.artifacts}
    files = ("learner.skops", "columns.parquet", "model.json")
    own = {f"{model}/{file}" for model in FUSION.models for file in files}
    assert shown == {"predictions.parquet", "fitted_on.parquet"} | own
    counted = {name for name in fused.recorded_metrics if name.endswith("/fitted_patients")}
    folds = ("", *(f"/fold{fold}" for fold in range(FOLDS)))
    assert counted == {f"{m}{fold}/fitted_patients" for m in FUSION.models for fold in folds}
    assert len(fused.lines) == len(counted)


def test_no_learner_of_a_fold_was_fitted_on_its_test_patients(root: Path) -> None:
    roles = the_split(root).set_index(["outer_fold", "patient"])["role"]
    for stage, role in (("fuse", "train"), ("evaluate", "validation")):
        path = folder(root, STUDY, stage) / "fitted_on.parquet"
        rows = tables.read(tables.FITTED_ON, path)
        assert set(rows["outer_fold"]) == set(range(FOLDS + 1))
        assert set(roles.loc[list(zip(rows["outer_fold"], rows["patient"], strict=True))]) == {role}


@pytest.mark.parametrize("model", ["clinical", "t4"])
def test_the_pooled_auc_is_of_scores_by_the_fold_that_did_not_learn(root: Path, model: str) -> None:
    member = f"{STUDY}-{model}" if model == "t4" else None
    rows = predictions(root, "train" if member else "fuse", member)
    roles = the_split(root).rename(columns={"role": "said"})[["patient", "outer_fold", "said"]]
    rows = rows[(rows["model"] == f"{STUDY}-{model}") & (rows["seed"] == SEED)]
    tested = rows.merge(roles, on=["patient", "outer_fold"]).query("said == 'test'")
    outcome = a_study().cohort.set_index("patient")["metastasis"]
    assert sorted(tested["patient"]) == sorted(outcome.index)
    expected = roc_auc_score(outcome[tested["patient"]].astype(int), tested["score"])
    figures = json.loads((root / "results" / STUDY / "metrics.json").read_text())[model]
    assert figures["test"]["auc"]["value"] == pytest.approx(expected, abs=1e-6)
    assert figures["test"]["patients"] == len(outcome)
    assert set(figures["folds"]["test_auc"]["each"]) == {"0", "1", "2"}


def test_networks_show_their_seeds_and_fusions_have_none(root: Path) -> None:
    record = RunRecord.read(folder(root, STUDY, "evaluate") / "run.json")
    for model, figures in record.on_members.items():
        seeds = {name for name in figures if name.startswith("over_seeds/test_auc")}
        ends = ("_mean", "_mean_low", "_mean_high", "_deviation", "_0", "_1")
        expected = {f"over_seeds/test_auc{end}" for end in ends} if model in NETWORKS else set()
        assert seeds >= expected
        assert bool(seeds) == bool(expected)
    lines = (folder(root, STUDY, "evaluate") / "table.csv").read_text().splitlines()
    assert [line for line in lines if line.startswith(f"{STUDY}-t4,test,auc_seed_1,")]


def test_the_main_part_is_packaged_with_evaluates_figures(root: Path) -> None:
    registered = folder(root, STUDY, "register")
    model = registered / "clinical_t4_t11"
    packaged = (model / "learner" / "learner.skops").read_bytes()
    for fold in range(FOLDS + 1):
        own = (place(root, "clinical_t4_t11", fold) / "learner.skops").read_bytes()
        assert (own == packaged) == (fold == WHOLE)
    assert (model / "networks" / NETWORKS[0] / "weights.safetensors").read_text() == "of the whole"
    figures = json.loads((root / "results" / STUDY / "metrics.json").read_text())
    for entry in Catalogue.read(registered / "models.json").models:
        said = figures[entry.model]["validation"]["auc"]
        assert entry.metrics["validation_auc"] == said["value"]
        assert all(name.startswith("validation_") for name in entry.metrics)


def test_fusions_of_scores_learn_from_everybody_whom_a_fold_trains_on(stacked: Path) -> None:
    where = the_split(stacked)
    rows = tables.read(tables.FITTED_ON, folder(stacked, STUDY, "fuse") / "fitted_on.parquet")
    for model in STACKED.models:
        for fold in range(FOLDS + 1):
            own = rows["object"].eq(f"{STUDY}-{model}/imputer") & rows["outer_fold"].eq(fold)
            training = where[where["outer_fold"].eq(fold) & where["role"].eq("train")]
            assert set(rows.loc[own, "patient"]) == set(training["patient"])
    seen = pd.read_parquet(place(stacked, "stacked", WHOLE) / "columns.parquet")
    assert {f"{network}_log_odds" for network in NETWORKS} < set(seen)
    registered = folder(stacked, STUDY, "register") / "stacked"
    assert {path.name for path in (registered / "networks").iterdir()} == set(NETWORKS)


def test_the_table_of_patients_counts_everybody_once(root: Path) -> None:
    table = pd.read_csv(folder(root, STUDY, "evaluate") / "baseline.csv", dtype=str)
    patients = table[table["characteristic"] == "patients"].iloc[0]
    assert patients["all"] == "160"
    assert "test" not in table, "as everybody is in turn"
