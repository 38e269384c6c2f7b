"""Numbers beside somebody else, planted in tables and in code paths, stop the audit by name.

The published study's mistake is the model: image outputs came in the string order of file names
(1, 10, 100, ..., 2) and were pasted beside rows in the order of numbers.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones import results
from oncotrail.errors import AuditFailed
from oncotrail.fusion import early
from oncotrail.imaging.decode import ImageSource
from oncotrail.record import folder
from pipelines import decode
from tests.audit.real_run import audit_again, changed, decode_again, fuse_again, train_again
from tests.fusion.hand_made import NETWORKS, STUDY

CHECK = "misaligned_rows"


def in_number_order(patients: pd.Series) -> np.ndarray:
    """Where each patient would stand if pseudonyms were sorted as numbers."""
    return np.argsort(patients.astype(int).to_numpy())


def failure(root: Path) -> str:
    with pytest.raises(AuditFailed) as failed:
        audit_again(root, CHECK)
    assert failed.value.exit_code == 2
    assert not (folder(root, STUDY, "audit") / "audit.json").exists()
    return str(failed.value)


def line(message: str, about: str) -> str:
    (only,) = [text for text in message.splitlines() if f"{CHECK}: {about}:" in text]
    return only


def named(text: str) -> set[str]:
    listed = re.search(r"\(([^()]*?)(?: and \d+ more)?\)\. ", text)
    assert listed
    return set(listed.group(1).split(", "))


def test_clean_run_passes(root: Path) -> None:
    (said,) = audit_again(root, CHECK).lines
    assert said == "misaligned_rows: nothing wrong among 1278 looked at"


def test_network_scores_pasted_in_another_order(root: Path) -> None:
    path = folder(root, STUDY, "train", "toy-t4") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    order = in_number_order(predictions["patient"])
    changed(path, predictions.assign(score=predictions["score"].to_numpy()[order]))
    text = line(failure(root), "predictions of toy-t4")
    assert "have a score that is not of their embedding" in text
    assert "Join by patient id" in text


def test_two_exchanged_patients_are_the_two_that_are_named(root: Path) -> None:
    path = folder(root, STUDY, "train", "toy-t11") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    predictions.loc[[5, 9], "score"] = predictions.loc[[9, 5], "score"].to_numpy()
    changed(path, predictions)
    assert named(line(failure(root), "predictions of toy-t11")) == set(
        predictions.loc[[5, 9], "patient"]
    )


def test_scores_of_one_class_only(root: Path) -> None:
    """As published: every patient without metastasis has somebody else's score, the others not."""
    path = folder(root, STUDY, "train", "toy-t4") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    cohort = pd.read_parquet(folder(root, STUDY, "acquire") / "cohort.parquet")
    without = predictions["patient"].isin(cohort.loc[cohort["metastasis"] == 0, "patient"])
    own = predictions.loc[without, "score"].to_numpy()
    predictions.loc[without, "score"] = np.roll(own, 1)
    changed(path, predictions)
    text = line(failure(root), "predictions of toy-t4")
    assert named(text) <= set(predictions.loc[without, "patient"])
    assert int(re.search(r"(\d+) patients", text)[1]) == without.sum()


def test_a_train_stage_that_lists_images_in_another_order(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embeddings and scores agree with each other and belong to nobody: only pixels can tell."""
    honest = results.write_scored

    def faulty(out: Path, blueprint: Any, images: pd.DataFrame, *given: Any, **named: Any) -> None:
        order = in_number_order(images["patient"])
        honest(out, blueprint, images.iloc[order].reset_index(drop=True), *given, **named)

    monkeypatch.setattr(results, "write_scored", faulty)
    train_again(root, "toy-t4")
    fuse_again(root)
    message = failure(root)
    assert "embedding that is not of their pixels" in line(message, "features of toy-t4")
    assert "predictions of toy-t4" not in message
    assert "features of toy-t11" not in message


def test_a_features_table_whose_patients_were_pasted(root: Path) -> None:
    """Image names and scores by patient are right; the patients beside the images are not."""
    path = folder(root, STUDY, "train", "toy-t11") / "features.parquet"
    features = pd.read_parquet(path)
    features.loc[[7, 8], "patient"] = features.loc[[8, 7], "patient"].to_numpy()
    changed(path, features)
    text = line(failure(root), "features of toy-t11")
    assert named(text) == set(features.loc[[7, 8], "patient"])


def test_an_image_without_an_embedding(root: Path) -> None:
    path = folder(root, STUDY, "train", "toy-t11") / "features.parquet"
    features = pd.read_parquet(path)
    changed(path, features.drop(index=7))
    assert named(line(failure(root), "features of toy-t11")) == {features.loc[7, "patient"]}


def test_a_decode_stage_that_names_rows_in_another_order(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole run after it is consistent; the files that the images came from are not."""
    honest = decode.store.fill

    def faulty(
        store: Path, output: Path, sources: list[ImageSource], *given: Any, **how: Any
    ) -> Any:
        by_number = sorted(sources, key=lambda source: int(source.path.stem.split("-")[0]))
        return honest(store, output, by_number, *given, **how)

    monkeypatch.setattr(decode.store, "fill", faulty)
    decode_again(root)
    for name in NETWORKS:
        train_again(root, name)
    fuse_again(root)
    message = failure(root)
    assert "rows do not hold their patient's image" in line(message, "t4.npy")
    assert "rows do not hold their patient's image" in line(message, "t11.npy")


def test_a_pixels_table_with_two_patients_exchanged(root: Path) -> None:
    path = folder(root, STUDY, "decode") / "pixels.parquet"
    pixels = pd.read_parquet(path)
    pixels.loc[[3, 5], "patient"] = pixels.loc[[5, 3], "patient"].to_numpy()
    view = pixels.loc[3, "view"]
    changed(path, pixels)
    assert named(line(failure(root), f"{view}.npy")) == set(pixels.loc[[3, 5], "patient"])


def test_a_fuse_stage_that_pastes_embeddings_by_position(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learner is fitted on, and scores, rows that mix two patients."""
    honest = early.design

    def faulty(patients: pd.Series, columns: Any, *given: Any) -> pd.DataFrame:
        table = honest(patients, columns, *given)
        pasted = [name for own in columns.embeddings.values() for name in own]
        order = in_number_order(table.index.to_series())
        return table.assign(**{name: table[name].to_numpy()[order] for name in pasted})

    monkeypatch.setattr(early, "design", faulty)
    fuse_again(root)
    message = failure(root)
    model = "toy-clinical_t4_t11"
    assert "columns that are not theirs" in line(message, f"{model}/columns")
    assert "not of their columns" in line(message, f"predictions of {model}")
    assert "predictions of toy-clinical:" not in message  # it reads no embedding


def test_a_fuse_stage_that_pastes_scores_by_position(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = early.score

    def faulty(*given: Any) -> pd.Series:
        scores = honest(*given)
        order = in_number_order(scores.index.to_series())
        return pd.Series(scores.to_numpy()[order], index=scores.index, name="score")

    monkeypatch.setattr(early, "score", faulty)
    fuse_again(root)
    message = failure(root)
    assert "not of their columns" in line(message, "predictions of toy-clinical")
    assert "/columns" not in message


def test_two_exchanged_fused_scores_are_named(root: Path) -> None:
    path = folder(root, STUDY, "fuse") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    own = predictions[predictions["model"] == "toy-clinical"].sort_values("score")
    pair = own.index[[0, -1]]
    predictions.loc[pair, "score"] = predictions.loc[pair[::-1], "score"].to_numpy()
    changed(path, predictions)
    text = line(failure(root), "predictions of toy-clinical")
    assert named(text) == set(predictions.loc[pair, "patient"])


def test_scores_without_a_learner_are_not_believed(root: Path) -> None:
    path = folder(root, STUDY, "fuse") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    hers = predictions[predictions["model"] == "toy-clinical"].assign(model="toy-hers")
    changed(path, pd.concat([predictions, hers], ignore_index=True))
    assert "scores of toy-hers, of which there is no learner" in failure(root)


def test_other_weights_under_the_same_scores_are_found(root: Path) -> None:
    """Files of two trainings in one folder."""
    one, other = (folder(root, STUDY, "train", name) for name in NETWORKS)
    (one / "weights.safetensors").write_bytes((other / "weights.safetensors").read_bytes())
    message = failure(root)
    assert "predictions of toy-t4" in message
    assert "features of toy-t4" in message
