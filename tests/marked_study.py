"""A study whose images are marked with boxes and masks, and are volumes: every stage's own main.

Views: `boxed`, a picture and a box; `masked`, a picture and a mask; `deep`, a volume and a mask, of
which three slices are looked at. What tells the outcome lies in the marked region alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from oncotrail.record import MemoryRun
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.guards import Audit
from oncotrail.study.network import Network
from pipelines import acquire, audit, decode, evaluate, fuse, split, train
from tests import declared
from tests.imaging.formats import nifti

STUDY, SEED = "marked", 5
REGION = {"margin": "1 px", "square": True}
SIDE = 32
PIXELS = {"window": {"low": 0, "high": 255}, "rows": SIDE, "columns": SIDE, "region": REGION}
VIEWS: dict[str, dict[str, Any]] = {
    "boxed": PIXELS,
    "masked": PIXELS,
    "deep": {**PIXELS, "slices": {"choose": "evenly", "count": 3}},
}
CHECKS = ("leaked_patient", "misaligned_rows", "duplicate_image", "fitted_on_test")
SPLIT = {"validation": 0.2, "test": 0.3, "stratify_by": "metastasis", "folds": 3, "fusion_folds": 1}


def network(view: str, **changes: Any) -> dict[str, Any]:
    """A network's section: enough for scores that tell patients apart, in a second."""
    optimizer = {"kind": "adam", "learning_rate": 2e-2, "weight_decay": 0}
    head = {"embedding": 10}
    plan = {"head": head, "optimizer": optimizer, "epochs": 2} | changes
    return declared.network(STUDY, view=view, **plan)


ATTENTION = {"hidden": 4, "epochs": 3, "learning_rate": 1e-2}
NETWORKS = {
    f"{STUDY}-boxed": network("boxed"),
    f"{STUDY}-masked": network("masked"),
    f"{STUDY}-deep": network("deep"),
    f"{STUDY}-deep_max": network("deep", patient_by="max"),
    f"{STUDY}-deep_attention": network("deep", attention=ATTENTION),
}
MODELS: dict[str, Any] = {
    "both": {"clinical": True, "networks": [f"{STUDY}-boxed", f"{STUDY}-deep"]},
}


@dataclass(frozen=True)
class Marked:
    """A study below `root`; each stage can be run again after a change."""

    root: Path
    patients: int = 72
    views: tuple[str, ...] = tuple(VIEWS)
    dealt: dict[str, Any] = field(default_factory=lambda: SPLIT)
    networks: dict[str, Any] = field(default_factory=lambda: NETWORKS)
    models: dict[str, Any] = field(default_factory=lambda: MODELS)

    @property
    def sections(self) -> dict[str, Any]:
        """What several stages read."""
        return {
            "seed": SEED,
            "compute": {"threads": 1, "precision": "float32"},
            "cohort": self.cohort,
            "network": {name: Network.read(of, name) for name, of in self.networks.items()},
            "fusion": self.fusion,
            "evaluation": Evaluation(outcome="metastasis", confidence=0.95, threshold="youden"),
        }

    @property
    def cohort(self) -> Cohort:
        return Cohort.read(declared.cohort({"age": declared.AGE}, self.views), STUDY)

    @property
    def fusion(self) -> Fusion:
        learner = declared.forest(trees=8)
        asked = {"outcome": "metastasis", "models": self.models, "resampling": None}
        return Fusion.read({**asked, "learner": learner}, STUDY)

    def run_all(self) -> None:
        """Everything before the audit."""
        self.acquire()
        self.split()
        self.decode()
        for name in self.networks:
            self.train(name)
        self.fuse()
        self.evaluate()

    def acquire(self) -> None:
        raw = raw_cohort(self.root / "raw", self.patients, self.views)
        asked = {"path": str(raw), "pseudonyms": "invented", "on_fault": "stop"}
        self.run(acquire, "acquire", acquire=asked)

    def split(self) -> None:
        self.run(split, "split", split=self.dealt)

    def decode(self) -> None:
        views = {view: VIEWS[view] for view in self.views}
        self.run(decode, "decode", limits={"image_side": None}, decode={"views": views})

    def train(self, name: str) -> None:
        chosen = MemoryRun(self.root, STUDY, "tune", name).out / "settings.json"
        chosen.write_text(Network.read(self.networks[name], name).model_dump_json())
        self.run(train, "train", name, limits={"epochs": None})

    def fuse(self) -> None:
        self.run(fuse, "fuse")

    def evaluate(self) -> None:
        self.run(evaluate, "evaluate")

    def audit(self, *checks: str) -> MemoryRun:
        return self.run(audit, "audit", audit=Audit(checks=checks or CHECKS))

    def run(self, stage: Any, name: str, key: str = "", **own: Any) -> MemoryRun:
        """Run a stage's main on the sections that it reads."""
        run = MemoryRun(self.root, STUDY, name, key)
        given = {**self.sections, **own}
        fields = stage.Settings.model_fields
        stage.main(stage.Settings.model_validate({f: given[f] for f in fields}), run)
        return run

    def out(self, stage: str, member: str | None = None) -> Path:
        """A stage's output."""
        return MemoryRun(self.root, STUDY, "audit").folder(stage, member)


def crossed(root: Path) -> Marked:
    """The same in two outer folds and the whole, trained in 27 parts; fusions read scores."""
    deep, boxed = f"{STUDY}-deep", f"{STUDY}-boxed"
    return Marked(
        root,
        views=("boxed", "deep"),
        dealt={
            "validation": 0.25,
            "cross_validation": 2,
            "stratify_by": "metastasis",
            "folds": 2,
            "fusion_folds": 0,
        },
        networks={
            deep: network("deep", seeds=2, out_of_fold=True, epochs=1),
            boxed: network("boxed", out_of_fold=True, attention=ATTENTION, epochs=1),
        },
        models={"scores": {"clinical": True, "scores": [deep, boxed]}},
    )


def raw_cohort(folder: Path, patients: int, views: tuple[str, ...]) -> Path:
    """clinical.csv, images.csv and the images, as a hospital would hand them over."""
    stream = np.random.default_rng(3)
    folder.mkdir()
    clinical, images = ["id,hospital,m,age"], ["patient,view,path,box,mask"]
    for number in range(patients):
        patient, positive = f"H{number}", number % 2
        clinical.append(f"{patient},{'ab'[number // 2 % 2]},{positive},{40 + number % 30}")
        images += [",".join(_image(folder, patient, of, positive, stream)) for of in views]
    (folder / "invented.json").write_text("{}")
    (folder / "clinical.csv").write_text("\n".join(clinical))
    (folder / "images.csv").write_text("\n".join(images))
    return folder


def _image(
    folder: Path, patient: str, view: str, positive: int, stream: np.random.Generator
) -> tuple[str, ...]:
    """Write one image and its mark; return its row of images.csv."""
    slices = 5 if view == "deep" else 1
    pixels = stream.integers(0, 120, (slices, 30, 36)).astype(np.uint8)
    top, left = (int(stream.integers(2, 12)) for _ in range(2))
    inside = np.zeros(pixels.shape, np.uint8)
    inside[:, top : top + 14, left : left + 16] = 1
    pixels[inside == 1] += np.uint8(80 * positive)
    box = f"{top} {left} {top + 14} {left + 16}" if view == "boxed" else ""
    ending = "nii" if view == "deep" else "png"
    path, mask = f"{patient}-{view}.{ending}", f"{patient}-{view}-mask.{ending}"
    _write(folder / path, pixels)
    if view == "boxed":
        return patient, view, path, box, ""
    _write(folder / mask, inside)
    return patient, view, path, "", mask


def _write(path: Path, pixels: np.ndarray) -> None:
    if path.suffix == ".nii":
        path.write_bytes(nifti(np.transpose(pixels, (2, 1, 0)).astype(np.int16)))
    else:
        Image.fromarray(pixels[0]).save(path)
