"""A small repository as the stages leave it: run.json files and what they list, written by hand."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from oncotrail.graph import digest
from oncotrail.record import RunRecord, folder, sha256_of
from oncotrail.serving.catalogue import Entry, catalogue_of, entry_of
from oncotrail.serving.manifest import Manifest, digests
from oncotrail.study.cohort import Number

STUDY = "breast"
AGE = Number(kind="number", unit="years", minimum=18, maximum=100)
FUSIONS = ("clinical", "clinical_t4")
FIGURES = {
    "t4": {"validation_auc": 0.6, "validation_auc_low": 0.5, "validation_auc_high": 0.7},
    "t11": {"validation_auc": 0.62, "validation_auc_low": 0.5, "validation_auc_high": 0.7},
    "clinical": {"validation_auc": 0.7, "validation_auc_low": 0.6, "validation_auc_high": 0.8},
    "clinical_t4": {"validation_auc": 0.8, "validation_auc_low": 0.7, "validation_auc_high": 0.9},
}


class Repository:
    """`root` with a study whose stages have run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def record(self, stage: str, name: str = STUDY, **more: Any) -> RunRecord:
        """A record as the stage would make it; `more` replaces fields."""
        member = None if name == STUDY else name
        fields: dict[str, Any] = {
            "study": STUDY,
            "stage": stage,
            "name": name,
            "recipe": "demo",
            "seed": 7,
            "params": {},
            "bent": {},
            "dependencies": {},
            "metrics": {},
            "history": {},
            "artifacts": {},
            "on_members": {},
        } | more
        place = folder(self.root, STUDY, stage, member)
        fields["artifacts"] = {path: sha256_of(place / path) for path in fields["artifacts"]}
        fields["key"] = _run_key(fields)
        return RunRecord(**fields)

    def write(self, record: RunRecord) -> RunRecord:
        """Put run.json where the stage would."""
        member = None if record.name == STUDY else record.name
        place = folder(self.root, STUDY, record.stage, member)
        place.mkdir(parents=True, exist_ok=True)
        record.write(place / "run.json")
        return record

    def key(self, stage: str, name: str = STUDY) -> str:
        """The run key that lies there now."""
        member = None if name == STUDY else f"{STUDY}-{name}"
        return RunRecord.read(folder(self.root, STUDY, stage, member) / "run.json").key

    def file(self, stage: str, path: str, text: str) -> None:
        """A file in a stage's output."""
        place = folder(self.root, STUDY, stage) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def split(self) -> None:
        self.file("split", "split.json", json.dumps({"digest": "digest-of-the-split"}))
        self.write(self.record("split", params={"folds": 5}))

    def network(self, name: str = "t4", *, rate: float = 0.001) -> RunRecord:
        """A trained network; another learning rate is another run key."""
        member = f"{STUDY}-{name}"
        self.file("train", f"{member}/weights.safetensors", f"weights of {name} at {rate}")
        return self.write(
            self.record(
                "train",
                member,
                params={"optimizer.learning_rate": rate, "epochs": 2},
                bent={"network.epochs": [1000, 2]},
                dependencies={f"data/{STUDY}/split": digest(self.root / f"data/{STUDY}/split")},
                metrics={"best_epoch": 2.0},
                history={"validation_loss": [[1, 0.9], [2, rate]]},
                artifacts={"weights.safetensors": ""},
            )
        )

    def fuse(self) -> RunRecord:
        for model in FUSIONS:
            self.file("fuse", f"{model}/model.json", json.dumps({"model": model}))
        return self.write(
            self.record(
                "fuse",
                params={
                    "learner.trees": 300,
                    **{f"models.{model}.clinical": True for model in FUSIONS},
                },
                metrics={f"{model}/fitted_patients": 100.0 for model in FUSIONS},
                dependencies={f"data/{STUDY}/train": digest(self.root / f"data/{STUDY}/train")},
                artifacts={f"{model}/model.json": "" for model in FUSIONS},
            )
        )

    def evaluate(self, figures: dict[str, dict[str, float]] | None = None) -> RunRecord:
        self.file("evaluate", "table.csv", "model,auc\n")
        return self.write(
            self.record(
                "evaluate",
                dependencies={
                    f"data/{STUDY}/{stage}": digest(self.root / f"data/{STUDY}/{stage}")
                    for stage in ("train", "fuse")
                },
                artifacts={"table.csv": ""},
                on_members={f"{STUDY}-{m}": v for m, v in (figures or FIGURES).items()},
            )
        )

    def register(self) -> None:
        """models.json and a folder per model; their files stand in for weights."""
        figures = self.figures()
        runs = {name: key for name, key in self._runs().items() if name in figures}
        out = folder(self.root, STUDY, "register")
        shutil.rmtree(out, ignore_errors=True)
        entries = [self._model(name, key, figures[name]) for name, key in sorted(runs.items())]
        catalogue_of(STUDY, "validation_auc", entries).write(out)
        self.write(self.record("register"))

    def figures(self) -> dict[str, dict[str, float]]:
        path = folder(self.root, STUDY, "evaluate") / "run.json"
        told = RunRecord.read(path).on_members
        return {name.removeprefix(f"{STUDY}-"): values for name, values in told.items()}

    def _model(self, name: str, run: str, figures: dict[str, float]) -> Entry:
        kind = "fusion" if name in FUSIONS else "network"
        place = folder(self.root, STUDY, "register") / name
        place.mkdir(parents=True)
        (place / "weights").write_text(f"weights of {name} from {run}", encoding="utf-8")
        networks = {f"{STUDY}-{view}": view for view in ("t4", "t11") if name.endswith(view)}
        asked = {"age": AGE} if kind == "fusion" else {}
        made = Manifest(STUDY, name, kind, "metastasis", networks, asked, digests(place))
        made.write(place)
        return entry_of(place, made, run, figures)

    def _runs(self) -> dict[str, str]:
        data = self.root / "data" / STUDY
        trained = [RunRecord.read(path) for path in data.glob("train/*/run.json")]
        fused = RunRecord.read(data / "fuse" / "run.json")
        runs = {record.name.removeprefix(f"{STUDY}-"): record.key for record in trained}
        return runs | {model: f"{fused.key}/{model}" for model in FUSIONS}

    def judged_study(self, *, rate: float = 0.001) -> None:
        """Everything up to evaluate: what a test needs that is not about the registry."""
        self.split()
        self.network("t4", rate=rate)
        self.network("t11", rate=rate)
        self.fuse()
        self.evaluate()

    def whole_study(self, *, rate: float = 0.001) -> None:
        """Everything that a repro leaves, but images."""
        self.judged_study(rate=rate)
        self.register()

    def clone(self, root: Path) -> Repository:
        """The files as a colleague pulls them: no MLflow, no .oncotrail, later times."""
        shutil.copytree(self.root / "data", root / "data", copy_function=shutil.copyfile)
        time.sleep(0.01)
        return Repository(root)


def _run_key(fields: dict[str, Any]) -> str:
    """As stage.py has it: the digest of what was asked and what was read."""
    asked = [fields[name] for name in ("stage", "name", "params", "dependencies")]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
