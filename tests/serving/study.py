"""A study small enough for seconds: real images, a tiny network trained by the real stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from oncotrail.cohort import tables
from oncotrail.cohort.split import split_patients
from oncotrail.record import MemoryRun, RunRecord
from oncotrail.study.cohort import Cohort
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from pipelines import decode, fuse, register, train
from tests import declared

STUDY = "toy"
NETWORK = "toy-t4"
PATIENTS = 90
FIGURES = {"toy-t4": 0.6, "toy-clinical": 0.7, "toy-clinical_t4": 0.8}

COHORT = Cohort.read(declared.cohort({"age": declared.AGE, "her2": declared.HER2}), STUDY)
SETTINGS = Network.read(declared.network(STUDY, head={"embedding": 10}), STUDY)
FUSION = Fusion.read(
    {
        "outcome": "metastasis",
        "models": {
            "clinical": {"clinical": True},
            "clinical_t4": {"clinical": True, "networks": [NETWORK]},
        },
        "resampling": None,
        "learner": declared.forest(trees=8),
    },
    "toy",
)


def lay_out(root: Path) -> None:
    """Run everything that register needs, below `root`."""
    _acquire(MemoryRun(root, STUDY, "acquire"))
    _split(MemoryRun(root, STUDY, "split"))
    views = {"t4": {"window": None, "rows": 32, "columns": 40}}
    asked = {
        "compute": {"threads": 1, "precision": "float32"},
        "limits": {"image_side": None},
        "decode": {"views": views},
    }
    decode.main(decode.Settings.model_validate(asked), MemoryRun(root, STUDY, "decode"))
    chosen = MemoryRun(root, STUDY, "tune", NETWORK).out / "settings.json"
    chosen.write_text(SETTINGS.model_dump_json())
    _train(MemoryRun(root, STUDY, "train", NETWORK))
    _fuse(MemoryRun(root, STUDY, "fuse"))
    evaluated = MemoryRun(root, STUDY, "evaluate")
    for model, auc in FIGURES.items():
        evaluated.reports_on(model, {"validation_auc": auc, "test_auc": 1 - auc})
    finish(evaluated)
    (MemoryRun(root, STUDY, "audit").out / "audit.json").write_text("{}")


def register_settings() -> register.Settings:
    """What the register stage reads of the study file."""
    return register.Settings.model_validate(
        {
            "cohort": COHORT,
            "network": {NETWORK: SETTINGS},
            "fusion": FUSION,
            "registry": {"best_by": "validation_auc"},
        }
    )


def registered(root: Path) -> MemoryRun:
    """Run register below `root`."""
    run = MemoryRun(root, STUDY, "register")
    register.main(register_settings(), run)
    finish(run)
    return run


def new_patients(root: Path, role: str) -> pd.DataFrame:
    """The patients of a role as somebody would hand them over: paths, clinical columns."""
    cohort = tables.read(COHORT.table(), root / "data" / STUDY / "acquire" / "cohort.parquet")
    split = tables.read(tables.SPLIT, root / "data" / STUDY / "split" / "split.parquet")
    chosen = cohort[cohort["patient"].isin(split.loc[split["role"] == role, "patient"])]
    folder = root / "data" / STUDY / "acquire" / "images"
    return chosen.assign(t4=[str(folder / f"{patient}.png") for patient in chosen["patient"]])


def predicted(root: Path, model: str) -> pd.Series:
    """The predictions table's scores of a model, by patient."""
    stage = f"train/{NETWORK}" if model == NETWORK else "fuse"
    path = root / "data" / STUDY / stage / "predictions.parquet"
    table = tables.read(tables.PREDICTIONS, path)
    return table[table["model"] == model].set_index("patient")["score"]


def finish(run: MemoryRun) -> None:
    """Write run.json, as the real run does."""
    values: dict[str, Any] = {
        "study": STUDY,
        "stage": run.stage,
        "name": run.key,
        "key": f"key-of-{run.stage}-{run.key}",
        "recipe": "demo",
        "seed": 1,
        "params": {},
        "bent": {},
        "dependencies": {},
        "metrics": run.recorded_metrics,
        "history": {},
        "artifacts": {},
        "on_members": run.on_members,
    }
    RunRecord(**values).write(run.out / "run.json")


def _acquire(run: MemoryRun) -> None:
    stream = np.random.default_rng(3)
    outcome = stream.permutation(np.arange(PATIENTS) % 2)
    names = [f"P{number:02d}" for number in range(PATIENTS)]
    images = []
    for name, positive in zip(names, outcome, strict=True):
        pixels = stream.integers(0, 120, (40, 50), dtype=np.uint8)
        pixels[10:30, 10:30] += np.uint8(60 * positive)
        path = run.out / "images" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
        images.append({"image": f"{name}-t4", "patient": name, "path": f"images/{name}.png"})
    cohort = pd.DataFrame({"patient": names, "site": "a", "metastasis": outcome})
    cohort["age"] = np.where(stream.random(PATIENTS) < 0.1, np.nan, 50 + 9 * outcome)
    cohort["her2"] = np.where(stream.random(PATIENTS) < 0.1, None, outcome.astype(str))
    tables.write(COHORT.table(), cohort, run.out / "cohort.parquet")
    frame = pd.DataFrame(images).assign(view="t4", sha256="0", rows=40, columns=50)
    blank = [name for name in tables.IMAGES.columns if name not in frame]
    tables.write(tables.IMAGES, frame.assign(**dict.fromkeys(blank)), run.out / "images.parquet")


def _split(run: MemoryRun) -> None:
    cohort = tables.read(COHORT.table(), run.folder("acquire") / "cohort.parquet")
    split = split_patients(
        cohort,
        stratify_by="metastasis",
        validation=0.15,
        test=0.3,
        external_sites=(),
        folds=2,
        fusion_folds=1,
        seed=1,
    )
    tables.write(tables.SPLIT, split.frame, run.out / "split.parquet")


def _train(run: MemoryRun) -> None:
    compute = {"threads": 1, "precision": "float64"}
    asked = {"seed": 1, "compute": compute, "limits": {"epochs": 1}, "cohort": COHORT}
    train.main(train.Settings.model_validate(asked), run)
    finish(run)


def _fuse(run: MemoryRun) -> None:
    asked = {"seed": 1, "cohort": COHORT, "network": {NETWORK: SETTINGS}, "fusion": FUSION}
    fuse.main(fuse.Settings.model_validate(asked), run)
    finish(run)
