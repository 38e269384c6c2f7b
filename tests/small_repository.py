"""A repository with one study and one stage, for tests of what surrounds stages."""

import os
import subprocess
import sys
from pathlib import Path

STUDY = "lungs"
PARAMS = """\
seed: 7
recipe: demo
limits: {patients: null, epochs: 3, image_side: null, trials: 0}
compute: {threads: 1, precision: float32}
tolerance:
  otherwise: 0.0
  figures: {auc: 0.02, curve: 0.02}
"""
STUDY_FILE = """\
study:
  lungs: {title: Lungs, question: Why?, methods: By asking.}
acquire:
  lungs: {path: raw, pseudonyms: keyed, on_fault: stop}
cohort:
  lungs:
    patient: id
    site: hospital
    outcomes:
      death: {kind: label, column: died, positive: "1", negative: "0", means: died}
    views:
      ct: {modality: CT, means: a slice}
    clinical:
      age: {kind: number, unit: years, minimum: 18, maximum: 100}
split:
  lungs: {validation: 0.2, test: 0.2, stratify_by: death, folds: 2, fusion_folds: 1}
"""
GRAPH = """\
vars:
  - studies/lungs.yaml
stages:
  probe:
    foreach: ${split}
    do:
      cmd: python -m pipelines.probe ${key}
      deps:
        - raw
      params:
        - seed
        - studies/${key}.yaml:
            - split.${key}
      outs:
        - data/${key}/probe
  sync:
    cmd: python -c ""
    deps:
      - data/lungs/report
    always_changed: true
"""
PROBE = """\
from oncotrail import stage
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.split import SplitPlan

class Settings(base.Settings):
    seed: int
    split: SplitPlan

def main(settings: Settings, run: Run) -> None:
    {body}

if __name__ == "__main__":
    stage.run(main)
"""
WRITES = """\
(run.out / "numbers.txt").write_text(str(settings.seed))
    run.metrics({"validation_auc": 0.75})"""


def small_repository(root: Path, body: str = WRITES) -> Path:
    """Lay the repository out below `root`; `body` is what its stage does."""
    for folder in ("studies", "raw", "pipelines"):
        (root / folder).mkdir(parents=True)
    (root / "params.yaml").write_text(PARAMS)
    (root / "studies" / "lungs.yaml").write_text(STUDY_FILE)
    (root / "dvc.yaml").write_text(GRAPH)
    (root / "raw" / "clinical.csv").write_text("id,died\nA,1\n")
    (root / "pipelines" / "__init__.py").write_text("")
    (root / "pipelines" / "probe.py").write_text(PROBE.format(body=body))
    return root


def start_probe(root: Path, key: str = STUDY, **environment: str) -> subprocess.Popen[str]:
    """Start the stage as DVC would."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.probe", key],
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def git(root: Path, *words: str) -> str:
    """Run git as a test user."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(
        ["git", *identity, *words], cwd=root, capture_output=True, text=True, check=True
    ).stdout


def commit_all(root: Path) -> None:
    """Put everything that is there into a commit."""
    if not (root / ".git").exists():
        git(root, "init", "-q")
    git(root, "add", "-A", "-f")
    git(root, "commit", "-qm", "state", "--allow-empty")
