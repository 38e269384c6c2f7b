"""A fusion of out-of-fold scores, by the real stages: from pixels to a served answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.cohort import tables
from oncotrail.cohort.folds import of_fold
from oncotrail.record import MemoryRun
from oncotrail.serving.catalogue import Catalogue
from oncotrail.serving.model import load_model
from oncotrail.study.fusion import Fusion
from pipelines import audit, decode, evaluate, fuse, register, split, train
from tests.serving import study
from tests.serving.study import COHORT, NETWORK, STUDY, finish

WHOLE = 3
DECLARED = {NETWORK: study.SETTINGS.model_copy(update={"seeds": 2, "out_of_fold": True})}
STACKED = Fusion.model_validate(
    {
        **study.FUSION.model_dump(),
        "models": {
            "clinical": {"clinical": True},
            "stacked": {"clinical": True, "scores": [NETWORK]},
        },
    }
)
EVALUATION = {"outcome": "metastasis", "confidence": 0.95, "threshold": "youden"}
SPLIT = {
    "validation": 0.25,
    "cross_validation": WHOLE,
    "stratify_by": "metastasis",
    "folds": 3,
    "fusion_folds": 0,
}
SECTIONS = {
    "seed": 1,
    "compute": {"threads": 1, "precision": "float64"},
    "cohort": COHORT,
    "split": SPLIT,
    "decode": {"views": {"t4": {"window": None, "rows": 32, "columns": 40}}},
    "network": DECLARED,
    "fusion": STACKED,
    "evaluation": EVALUATION,
    "audit": {"checks": ["leaked_patient", "misaligned_rows", "fitted_on_test"]},
    "registry": {"best_by": "validation_auc"},
}


def run_stage(root: Path, stage: Any, name: str, **more: Any) -> MemoryRun:
    """One stage's main with the sections that it reads."""
    asked = {**SECTIONS, **more}
    run = MemoryRun(root, STUDY, name, NETWORK if name == "train" else "")
    read = {section: asked[section] for section in stage.Settings.model_fields}
    stage.main(stage.Settings.model_validate(read), run)
    finish(run)
    return run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stacked")
    study._acquire(MemoryRun(root, STUDY, "acquire"))
    run_stage(root, split, "split")
    run_stage(root, decode, "decode", limits={"image_side": None})
    chosen = MemoryRun(root, STUDY, "tune", NETWORK).out / "settings.json"
    chosen.write_text(DECLARED[NETWORK].model_dump_json())
    run_stage(root, train, "train", limits={"epochs": 1})
    for name, stage in (
        ("fuse", fuse),
        ("evaluate", evaluate),
        ("audit", audit),  # refuses what does not hold
        ("register", register),
    ):
        run_stage(root, stage, name)
    return root


@pytest.mark.slow
def test_the_served_model_answers_as_the_whole_did(root: Path) -> None:
    data = root / "data" / STUDY
    cohort = tables.read(COHORT.table(), data / "acquire" / "cohort.parquet")
    where = of_fold(tables.read(tables.SPLIT, data / "split" / "split.parquet"), WHOLE)
    chose = cohort[cohort["patient"].isin(where.loc[where["role"] == "validation", "patient"])]
    images = data / "acquire" / "images"
    asked = chose.assign(t4=[str(images / f"{patient}.png") for patient in chose["patient"]])
    answers = load_model(data / "register" / "stacked").predict(asked).to_numpy()
    rows = tables.read(tables.PREDICTIONS, data / "fuse" / "predictions.parquet")
    rows = rows[(rows["model"] == f"{STUDY}-stacked") & (rows["outer_fold"] == WHOLE)]
    said = rows.set_index("patient")["score"].loc[chose["patient"]]
    assert len(said) > 20
    np.testing.assert_allclose(answers, said, atol=1e-9)


@pytest.mark.slow
def test_the_fusion_learned_from_scores_by_networks_that_had_left_the_patient_out(
    root: Path,
) -> None:
    trained = root / "data" / STUDY / "train" / NETWORK
    learned = tables.read(tables.FITTED_ON, trained / "fitted_on.parquet")
    learned = learned[learned["kind"] == "network"]
    fused = tables.read(tables.FITTED_ON, root / "data" / STUDY / "fuse" / "fitted_on.parquet")
    split_rows = tables.read(tables.SPLIT, root / "data" / STUDY / "split" / "split.parquet")
    inner = split_rows.set_index(["outer_fold", "patient"])["inner_fold"]
    own = fused[fused["object"] == f"{STUDY}-stacked/imputer"]
    assert len(own) > WHOLE * 40
    for fold, patient in zip(own["outer_fold"], own["patient"], strict=True):
        scorer = f"{NETWORK}/without{inner[fold, patient]}"
        by = learned[(learned["object"] == scorer) & (learned["outer_fold"] == fold)]
        assert len(by)
        assert patient not in set(by["patient"])


@pytest.mark.slow
def test_the_catalogue_has_the_validation_figures_of_the_whole(root: Path) -> None:
    table = pd.read_csv(root / "data" / STUDY / "evaluate" / "table.csv")
    areas = table[(table["role"] == "validation") & (table["metric"] == "auc")]
    said = areas.set_index("model")["value"]
    models = Catalogue.read(root / "data" / STUDY / "register" / "models.json").models
    assert {entry.model for entry in models} == {"t4", "clinical", "stacked"}
    for entry in models:
        assert entry.metrics["validation_auc"] == said[f"{STUDY}-{entry.model}"]
