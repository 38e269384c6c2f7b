"""Regions of interest and volumes: an honest study passes, and a fault in each link is named."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones import plan, results
from oncotrail.errors import AuditFailed
from oncotrail.imaging.decode import ImageSource
from pipelines import decode
from tests.audit.real_run import changed
from tests.marked_study import CHECKS, NETWORKS, Marked

DEEP = [name for name in NETWORKS if "deep" in name]


def failure(study: Marked, check: str) -> str:
    with pytest.raises(AuditFailed) as failed:
        study.audit(check)
    return str(failed.value)


def line(message: str, about: str) -> str:
    (only,) = [text for text in message.splitlines() if f": {about}: " in text]
    return only


def named(text: str) -> set[str]:
    listed = re.search(r"\(([^()]*?)(?: and \d+ more)?\)\. ", text)
    assert listed
    return set(listed.group(1).split(", "))


def table(study: Marked, stage: str, name: str, member: str | None = None) -> Any:
    path = study.out(stage, member) / f"{name}.parquet"
    return path, pd.read_parquet(path)


def two(pixels: pd.DataFrame, view: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of two patients' images of a view."""
    here = pixels[pixels["view"] == view]
    one, other = sorted(set(here["patient"]))[3:5]
    return here[here["patient"] == one], here[here["patient"] == other]


def test_an_honest_study_passes_all_checks(marked: Marked) -> None:
    run = marked.audit()
    said = {each["check"]: each for each in json.loads(_read(run.out / "audit.json"))["checks"]}
    assert all(said[check]["says"].startswith("nothing wrong") for check in CHECKS)
    aligned = said["misaligned_rows"]["looked"]
    assert aligned["images of deep"] == 3 * marked.patients
    assert {aligned[f"scores of {name}"] for name in DEEP} == {marked.patients}
    assert said["duplicate_image"]["looked"]["rows of pixels"] == 5 * marked.patients


def test_a_slice_of_another_patient(marked: Marked) -> None:
    path, pixels = table(marked, "decode", "pixels")
    one, other = two(pixels, "deep")
    pair = [one.index[1], other.index[1]]
    pixels.loc[pair, "row"] = pixels.loc[pair[::-1], "row"].to_numpy()
    changed(path, pixels)
    message = failure(marked, "misaligned_rows")
    both = {one["patient"].iloc[0], other["patient"].iloc[0]}
    text = line(message, "deep.npy")
    assert "2 rows do not hold their patient's image" in text
    assert named(text) == both
    for name in DEEP:  # the mean of an image's slices, and what is made of each of them
        assert named(line(message, f"features of {name}")) == both
        assert named(line(message, f"predictions of {name}")) <= both  # the largest may stay
    assert "boxed" not in message


def test_two_patients_exchanged_in_the_table_of_pixels(marked: Marked) -> None:
    path, pixels = table(marked, "decode", "pixels")
    one, other = two(pixels, "masked")
    pair = [*one.index, *other.index]
    pixels.loc[pair, "patient"] = pixels.loc[pair[::-1], "patient"].to_numpy()
    changed(path, pixels)
    both = {one["patient"].iloc[0], other["patient"].iloc[0]}
    assert named(line(failure(marked, "misaligned_rows"), "masked.npy")) == both


@pytest.mark.parametrize("lost", [False, True])
def test_slices_in_another_order_and_a_slice_that_is_missing(marked: Marked, lost: bool) -> None:
    path, pixels = table(marked, "decode", "pixels")
    rows, _ = two(pixels, "deep")
    if lost:
        pixels = pixels.drop(index=rows.index[0])
    else:
        pixels.loc[rows.index, "slice"] = rows["slice"].to_numpy()[::-1]
    changed(path, pixels)
    text = line(failure(marked, "misaligned_rows"), "deep.npy")
    assert "2 rows do not hold" in text  # of three, the one in the middle stays where it was
    assert named(text) == {rows["patient"].iloc[0]}


def whole(source: ImageSource) -> ImageSource:
    """Cut to all of the picture."""
    return replace(source, box="0 0 30 36")


@pytest.mark.parametrize("view", ["boxed", "masked"])
def test_a_decode_stage_that_ignores_regions(
    marked: Marked, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or takes somebody else's; what comes after it is consistent with what it made."""
    honest = decode.listing.sources

    def faulty(images: pd.DataFrame, acquired: Path) -> list[ImageSource]:
        found = honest(images, acquired)
        if images["view"].iloc[0] == "boxed":
            return [whole(source) for source in found]
        masks = [source.mask for source in found]
        return [replace(of, mask=mask) for of, mask in zip(found, masks[::-1], strict=True)]

    with monkeypatch.context() as patched:
        patched.setattr(decode.listing, "sources", faulty)
        marked.decode()
    marked.train(f"marked-{view}")
    message = failure(marked, "misaligned_rows")
    text = line(message, f"{view}.npy")
    assert int(re.search(r"(\d+) rows do not hold", text)[1]) > 0.9 * marked.patients
    assert f"features of marked-{view}" not in message


@pytest.mark.parametrize("name", NETWORKS)
def test_shifted_scores(marked: Marked, name: str) -> None:
    path, predictions = table(marked, "train", "predictions", name)
    changed(path, predictions.assign(score=np.roll(predictions["score"], 1)))
    text = line(failure(marked, "misaligned_rows"), f"predictions of {name}")
    assert int(re.search(r"(\d+) patients", text)[1]) > 0.9 * marked.patients


@pytest.mark.parametrize("name", DEEP)
def test_two_exchanged_scores_and_embeddings_are_the_two_that_are_named(
    marked: Marked, name: str
) -> None:
    for what in ("predictions", "features"):
        path, rows = table(marked, "train", what, name)
        pair = [rows.index[5], rows.index[9]]
        numbers = ["score"] if what == "predictions" else list(rows.filter(like="embedding_"))
        rows.loc[pair, numbers] = rows.loc[pair[::-1], numbers].to_numpy()
        changed(path, rows)
        wrong = set(rows.loc[pair, "patient"])
        assert named(line(failure(marked, "misaligned_rows"), f"{what} of {name}")) == wrong


def test_a_train_stage_that_takes_the_largest_of_a_mean(
    marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = results.predictions_table

    def faulty(*given: Any, **how: Any) -> pd.DataFrame:
        return honest(*given, **{**how, "by": "max"})

    monkeypatch.setattr(results, "predictions_table", faulty)
    marked.train("marked-deep")
    message = failure(marked, "misaligned_rows")
    assert "score that is not of their embedding" in line(message, "predictions of marked-deep")
    assert "features of marked-deep" not in message


def test_roles_by_position_beside_slices(marked: Marked, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = results.predictions_table

    def faulty(images: pd.DataFrame, *given: Any, **how: Any) -> pd.DataFrame:
        return honest(images.assign(role=images["role"].to_numpy()[::-1]), *given, **how)

    monkeypatch.setattr(results, "predictions_table", faulty)
    marked.train("marked-deep")
    assert "have a role here" in line(
        failure(marked, "leaked_patient"), "predictions of marked-deep"
    )


def test_one_slice_under_two_patients(marked: Marked) -> None:
    _, pixels = table(marked, "decode", "pixels")
    one, other = two(pixels, "deep")
    write(marked, "deep", {other["row"].iloc[2]: one["row"].iloc[0]})
    text = failure(marked, "duplicate_image")
    assert text.startswith("a violation;")
    assert named(text) == {one["patient"].iloc[0], other["patient"].iloc[0]}


def test_empty_slices_of_two_patients_are_nobodys(marked: Marked) -> None:
    """Until one of the two shows nothing else."""
    _, pixels = table(marked, "decode", "pixels")
    one, other = two(pixels, "deep")
    write(marked, "deep", {one["row"].iloc[2]: None, other["row"].iloc[2]: None})
    looked = marked.audit("duplicate_image").recorded_metrics["duplicate_image/looked_at"]
    assert looked == 3 * marked.patients + 5 * marked.patients - 2
    write(marked, "deep", dict.fromkeys([*one["row"], *other["row"]]))
    assert "the same picture under 2 patients" in failure(marked, "duplicate_image")


def write(study: Marked, view: str, instead: dict[int, int | None]) -> None:
    """Put one row of the store where another stands, or black."""
    path = study.out("decode") / f"{view}.npy"
    store = np.load(path)
    for row, other in instead.items():
        store[row] = 0 if other is None else store[other]
    path.unlink()  # it may be a link into the store of pixels
    np.save(path, store)


def test_normalisation_from_everybodys_slices(
    marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = np.load(marked.out("decode") / "deep.npy")
    honest = plan.begin
    monkeypatch.setattr(
        plan, "begin", lambda settings, _, *more: honest(settings, everybody, *more)
    )
    marked.train("marked-deep")
    text = line(failure(marked, "fitted_on_test"), "marked-deep/normalisation")
    assert "it is that of the 72 fusion and network and test and validation patients" in text


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
