"""Faulty code in the real graph: `make repro` stops, names who is concerned, and registers nothing.

The faults are those that published studies had. tests/audit plants many more, one check at a time.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from oncotrail.errors import UserFault
from tests import whole_graph as graph

DATA = Path("data") / graph.STUDY


@dataclass(frozen=True)
class Fault:
    """One edit of the library, where it is noticed, and what is said there."""

    module: str
    honest: str
    faulty: str
    stops: str
    says: str


FITTED = "    fitted = fit(seen.loc[training], outcome, columns, plan, model=model, seed=seed)\n"
# Each test patient stands in for a training patient with the same outcome; the records stay.
# The threshold's own fingerprint of these patients would refuse it at evaluate already.
CHOSEN_ON_TEST = """__import__("dataclasses").replace(
        choose_youden(fold.roles["test"].labels, fold.roles["test"].scores[model], role=CHOOSES),
        rows="",
    )"""
FOREST_OF_OTHERS = """\
    without = patients[patients["patient"].map(outcome) == 0]
    kept = without.loc[without["fits"] == "fusion", "patient"]
    test = without.loc[without["role"] == "test", "patient"]
    rows = seen.loc[training.replace(dict(zip(kept, test)))]
    other = fit(rows, outcome, columns, plan, model=model, seed=seed)
    fitted.pipeline.steps[-1] = other.pipeline.steps[-1]
"""

FAULTS = {
    "roles by position": Fault(
        "backbones/results.py",
        "images[keys].assign(score=scores)",
        'images[keys].assign(score=scores, role=images["role"].to_numpy()[::-1])',
        "evaluate",
        r"gives \d+ patients another role than the split does",
    ),
    "scores by position": Fault(
        "fusion/early.py",
        'tables.join(patients, scores, f"scores of {model}")',
        'patients.assign(score=scores["score"].to_numpy()[::-1])',
        "audit",
        r"misaligned_rows: predictions of \S+: \d+ patients have a score that is not of their col",
    ),
    "a network that learns from everybody": Fault(
        "backbones/material.py",
        "self._examples(self.part.learns(self.images))",
        'self._examples(self.images["fits"].fillna("") != "fusion")',
        "audit",
        r"fitted_on_test: \S+: fitted on \d+ patients .*role is .*test",
    ),
    "a threshold from test patients": Fault(
        "evaluation/performance.py",
        "choose_youden(chosen_on.labels, chosen_on.scores[model], role=CHOOSES)",
        CHOSEN_ON_TEST,
        "audit",
        r"fitted_on_test: \S+/threshold: is .*; it is that of the \d+ test patients \(",
    ),
    "a forest of as many rows, some of test patients": Fault(
        "fusion/early.py",
        FITTED,
        FITTED + FOREST_OF_OTHERS,
        "audit",
        r"fitted_on_test: \S+/learner: is not the forest of the \d+ patients .*it scores \d+ pat",
    ),
    "one picture for many patients": Fault(
        "demo/cohort.py",
        "slices.stored(seed, place, view, subject, scanner)",
        "slices.stored(seed, 0, view, slices.subjects(body)[0], SCANNERS[0])",
        "acquire",
        r"problems in the raw cohort",
    ),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small graph in which everything up to the audit ran, and it found nothing."""
    root = graph.small_copy(tmp_path_factory.mktemp("honest") / "copy")
    graph.run(root, "dvc", "repro", f"audit@{graph.STUDY}")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_stops_the_graph(honest: Path, tmp_path: Path, name: str) -> None:
    fault, root = FAULTS[name], tmp_path / "copy"
    shutil.copytree(honest, root, symlinks=True)
    module = root / "src" / "oncotrail" / fault.module
    source = module.read_text(encoding="utf-8")
    assert source.count(fault.honest) == 1
    module.write_text(source.replace(fault.honest, fault.faulty), encoding="utf-8")

    code, told = graph.answer(root, "oncotrail", "repro")
    assert code == UserFault.exit_code, told
    assert f"stopped at {fault.stops}@{graph.STUDY}" in told
    assert re.search(fault.says, told), told
    assert "Traceback" not in told
    assert not (root / DATA / "register").exists()
    if fault.stops != "acquire":  # at the terminal, oncotrail check names them
        known = pd.read_parquet(root / DATA / "acquire" / "cohort.parquet")["patient"]
        assert any(patient in told for patient in known)
