"""A real run of a small study: every stage's own main, from images on disk to figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from oncotrail.cohort import tables
from oncotrail.imaging.read import read_scan
from oncotrail.record import MemoryRun, folder
from oncotrail.study.computing import Compute
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.guards import Audit
from oncotrail.study.pixels import Decode
from pipelines import audit, decode, evaluate, fuse, train
from tests.fusion.hand_made import COHORT, FUSION, SEED, STUDY, a_study, networks

PATIENTS = 120
MODELS = ("clinical", "clinical_t4_t11")
FUSED = FUSION.model_copy(update={"models": {name: FUSION.models[name] for name in MODELS}})
EVALUATION = Evaluation(outcome="metastasis", confidence=0.95, threshold="youden")
SIDE = 32
CHECKS = ("leaked_patient", "misaligned_rows", "duplicate_image", "fitted_on_test")
VIEWS = tuple(COHORT.views)


def run_study(root: Path) -> None:
    """Everything before the audit; after a change, the stages behind it must run again too."""
    acquired(root)
    decode_again(root)
    for name in networks():
        train_again(root, name)
    fuse_again(root)
    evaluate_again(root)


def acquired(root: Path) -> None:
    """What acquire and split leave, and tune's pass-through of the settings."""
    study = a_study(PATIENTS)
    tables.write(COHORT.table(), study.cohort, folder(root, STUDY, "acquire") / "cohort.parquet")
    tables.write(tables.SPLIT, study.split, folder(root, STUDY, "split") / "split.parquet")
    stream = np.random.default_rng(9)
    for view in VIEWS:
        for patient, label in study.cohort[["patient", "metastasis"]].itertuples(index=False):
            pixels = stream.integers(0, 200, (SIDE, SIDE), dtype=np.uint8) + 40 * np.uint8(label)
            path = picture(root, f"{patient}-{view}")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    list_images(root, study.cohort["patient"])
    for name, network in networks().items():
        chosen = folder(root, STUDY, "tune", name) / "settings.json"
        chosen.parent.mkdir(parents=True)
        chosen.write_text(network.model_dump_json())


def picture(root: Path, image: str) -> Path:
    view = image.split("-")[1]
    return folder(root, STUDY, "acquire") / "images" / view / f"{image}.png"


def list_images(root: Path, patients: pd.Series) -> None:
    """The images table, with the digests of what the files hold now."""
    acquire = folder(root, STUDY, "acquire")
    rows = [
        {
            "image": f"{patient}-{view}",
            "patient": patient,
            "view": view,
            "path": picture(root, f"{patient}-{view}").relative_to(acquire).as_posix(),
            "sha256": read_scan(picture(root, f"{patient}-{view}")).sha256(),
            "rows": SIDE,
            "columns": SIDE,
        }
        for view in VIEWS
        for patient in patients
    ]
    frame = pd.DataFrame(rows).reindex(columns=list(tables.IMAGES.columns))
    tables.write(tables.IMAGES, frame, acquire / "images.parquet")


def decode_again(root: Path) -> None:
    views = {view: {"window": None, "rows": SIDE, "columns": SIDE} for view in VIEWS}
    settings = decode.Settings(
        compute=Compute(threads=1, precision="float32"),
        limits=decode.Limits(image_side=None),
        decode=Decode.read({"views": views}, STUDY),
    )
    decode.main(settings, MemoryRun(root, STUDY, "decode"))


def train_again(root: Path, name: str) -> None:
    settings = train.Settings(
        seed=SEED,
        compute=train.Compute(threads=1, precision="float32"),
        limits=train.Limits(epochs=1),
        cohort=COHORT,
    )
    train.main(settings, MemoryRun(root, STUDY, "train", name))


def fuse_again(root: Path, fusion: Fusion = FUSED) -> None:
    settings = fuse.Settings(seed=SEED, cohort=COHORT, network=networks(), fusion=fusion)
    fuse.main(settings, MemoryRun(root, STUDY, "fuse"))


def evaluate_again(root: Path) -> None:
    settings = evaluate.Settings(cohort=COHORT, network=networks(), evaluation=EVALUATION)
    evaluate.main(settings, MemoryRun(root, STUDY, "evaluate"))


def audit_again(root: Path, *checks: str, fusion: Fusion = FUSED) -> MemoryRun:
    """Run the audit stage."""
    run = MemoryRun(root, STUDY, "audit")
    settings = audit.Settings(
        seed=SEED,
        audit=Audit(checks=checks or CHECKS),
        cohort=COHORT,
        network=networks(),
        fusion=fusion,
        evaluation=EVALUATION,
    )
    audit.main(settings, run)
    return run


def changed(path: Path, frame: pd.DataFrame) -> None:
    """Overwrite a table behind the back of its checks, as faulty code would."""
    frame.to_parquet(path, index=False)
