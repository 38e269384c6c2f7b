"""What was planted in a demo cohort is what the whole pipeline finds, no less and no more."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from oncotrail.acquire.pseudonyms import invented_key
from tests import whole_graph as graph

PATIENTS = 1000
COLUMN_SETS = ("clinical", "clinical_t4", "clinical_t11", "clinical_t4_t11")


def evaluated_cohort(destination: Path, effects: str) -> Path:
    """A cohort of 1,000 with these effects, through every stage up to evaluate; the copy's root."""
    root = graph.copy_of_repository(destination)
    study = root / "studies" / f"{graph.STUDY}.yaml"
    graph.change(root / "params.yaml", "limits", "patients", value=PATIENTS)
    graph.change(study, "demo_cohort", graph.STUDY, "effects", value=effects)
    graph.run(root, "dvc", "repro", f"evaluate@{graph.STUDY}", timeout=1800)
    return root


def figures_on_test(root: Path) -> dict[str, dict[str, float]]:
    """Model -> its AUC on test patients, with the interval."""
    metrics = json.loads((root / "results" / graph.STUDY / "metrics.json").read_text())
    return {model: roles["test"]["auc"] for model, roles in metrics.items()}


def attainable(root: Path) -> dict[str, float]:
    """The AUC of a perfect model on exactly the test patients, per column set."""
    data = root / "data" / graph.STUDY
    truth = pd.read_csv(data / "demo" / "truth_scores.csv", dtype={"patient_id": str})
    aliases = invented_key(graph.STUDY).aliases(truth["patient_id"])
    truth["patient"] = [aliases[source].pseudonym for source in truth["patient_id"]]
    split = pd.read_parquet(data / "split" / "split.parquet").query("role == 'test'")
    cohort = pd.read_parquet(data / "acquire" / "cohort.parquet")[["patient", "metastasis"]]
    judged = split.merge(cohort, on="patient").merge(truth, on="patient", validate="one_to_one")
    assert len(judged) == len(split)
    outcome = judged["metastasis"].to_numpy(dtype=int)
    return {name: float(roc_auc_score(outcome, judged[name])) for name in COLUMN_SETS}


@pytest.mark.slow
def test_planted_effects_are_recovered(tmp_path: Path) -> None:
    """At 1,000 patients each fusion's test AUC is within .05 of the best attainable."""
    root = evaluated_cohort(tmp_path / "planted", "planted")
    best, ours = attainable(root), figures_on_test(root)
    gaps = {name: round(best[name] - ours[name]["value"], 3) for name in COLUMN_SETS}
    assert max(gaps.values()) <= 0.05, f"{gaps} below the attainable {best}"
    assert best["clinical"] < best["clinical_t4"] < best["clinical_t4_t11"]


@pytest.mark.slow
def test_nothing_is_found_where_nothing_was_planted(tmp_path: Path) -> None:
    """With effects at zero every model's interval holds .5: nothing leaks an outcome."""
    found = figures_on_test(evaluated_cohort(tmp_path / "none", "none"))
    outside = {name: auc for name, auc in found.items() if not auc["low"] <= 0.5 <= auc["high"]}
    assert len(found) == len(COLUMN_SETS) + 2
    assert not outside
