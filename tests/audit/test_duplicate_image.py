"""One picture under two patients, planted before decoding and after, stops the audit by name."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import AuditFailed
from oncotrail.record import folder
from tests.audit.real_run import audit_again, decode_again, list_images, picture
from tests.fusion.hand_made import STUDY

CHECK = "duplicate_image"


def pair(root: Path) -> tuple[str, str]:
    """A training patient with metastasis and a test patient without."""
    split = pd.read_parquet(folder(root, STUDY, "split") / "split.parquet")
    cohort = pd.read_parquet(folder(root, STUDY, "acquire") / "cohort.parquet")
    known = split.merge(cohort, on="patient")
    one = known[(known["role"] == "train") & (known["metastasis"] == 1)]["patient"].iloc[0]
    other = known[(known["role"] == "test") & (known["metastasis"] == 0)]["patient"].iloc[0]
    return one, other


def test_the_same_file_under_two_patients(root: Path) -> None:
    one, other = pair(root)
    picture(root, f"{other}-t4").write_bytes(picture(root, f"{one}-t4").read_bytes())
    list_images(root, pd.read_parquet(folder(root, STUDY, "acquire") / "cohort.parquet")["patient"])
    decode_again(root)
    with pytest.raises(AuditFailed) as failed:
        audit_again(root, CHECK)
    message = str(failed.value)
    assert message.startswith("a violation;")  # found in images and in pixels, told once
    assert "2 patients in test and train, with different metastasis" in message
    assert f"({', '.join(sorted([one, other]))})" in message
    assert f"{one}-t4" in message
    assert "mend the raw cohort" in message


def test_the_same_pixels_from_files_that_differ(root: Path) -> None:
    """The images table knows nothing: what differs between the files was cropped away."""
    one, other = pair(root)
    store = folder(root, STUDY, "decode") / "t11.npy"
    pixels = pd.read_parquet(folder(root, STUDY, "decode") / "pixels.parquet")
    rows = pixels[pixels["view"] == "t11"].set_index("patient")["row"]
    images = np.load(store)
    images[rows[other]] = images[rows[one]]
    np.save(store, images)
    with pytest.raises(AuditFailed, match=rf"\({', '.join(sorted([one, other]))}\)"):
        audit_again(root, CHECK)


def test_clean_run_passes(root: Path) -> None:
    run = audit_again(root, CHECK)
    assert run.recorded_metrics[f"{CHECK}/looked_at"] == 480
