"""misaligned_rows: every number beside a patient is that patient's, recomputed from what it is of.

    image file -> pixels      the file is decoded again
    pixels -> embedding       the network is run again
    embedding -> score        its head is computed again
    cohort, embeddings -> the columns of a fusion    joined again by patient id
    columns -> score of a fusion                     the learner is asked again

A score that was joined by position is somebody else's, and differs from the one recomputed. (Two
patients whose numbers are equal may be exchanged unseen; nothing changes by it.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from oncotrail.audit.evidence import Evidence, FusionEvidence, NetworkEvidence
from oncotrail.audit.finding import Finding, Violation, found, violation
from oncotrail.fusion.columns import design
from oncotrail.imaging.decode import pixels_of
from oncotrail.imaging.scan import digest

CHECK = "misaligned_rows"
MOST_IMAGES = 1000  # per view, decoded and scored again; more are drawn by the digest of their name
RESCORED = 1e-4  # relative: another batch or thread count changes the last digits of float32
RECOMPUTED = 1e-5  # a head on numbers that were rounded to be stored
AGAIN = 1e-9  # the same forest on the same numbers
MEND = "Join by patient id, never by position, and run the stage that wrote this again."

Part = tuple[str, int, list[Violation]]  # what was compared, how many, what is wrong


def misaligned_rows(evidence: Evidence) -> Finding:
    """Follow every number from the image and the clinical table to the score."""
    parts = list(_parts(evidence))
    looked = {what: count for what, count, _ in parts}
    return found(CHECK, looked, [wrong for _, _, own in parts for wrong in own])


def _parts(evidence: Evidence) -> Iterator[Part]:
    for view in evidence.views:
        yield _decoded_again(evidence, view)
    for network in evidence.networks:
        yield _run_again(evidence, network)
        yield _head_again(evidence, network)
    for fusion in evidence.fusions:
        yield _joined_again(evidence, fusion)
        yield _predicted_again(evidence, fusion)
    yield _nobodys(evidence)


def drawn(images: pd.DataFrame) -> pd.DataFrame:
    """All of them, or as many as may be looked at: the same ones on every machine."""
    lot = images["image"].map(lambda name: hashlib.sha256(str(name).encode()).hexdigest())
    return images.loc[lot.sort_values().index[:MOST_IMAGES]].sort_values("image")


def _decoded_again(evidence: Evidence, view: str) -> Part:
    """The image whose name stands beside a row of the store is the one that the row holds."""
    here = evidence.pixels[evidence.pixels["view"] == view]
    files = evidence.images[["image", "patient", "path"]]
    known = drawn(here).merge(files, on="image", how="left", suffixes=("", "_of_image"))
    pixels, made = evidence.views[view].store, evidence.views[view].made
    same = known["patient"] == known["patient_of_image"]
    known_files = known[same.fillna(value=False)]
    again = [
        digest(pixels_of(evidence.pictures / path, made)) == digest(pixels[row])
        for path, row in zip(known_files["path"], known_files["row"], strict=True)
    ]
    alike = known_files.index[np.array(again, dtype=bool)]
    wrong = known.loc[~known.index.isin(alike), "patient"]
    says = f"{len(wrong)} rows do not hold their patient's image"
    return f"images of {view}", len(known), violation(f"{view}.npy", wrong, says, MEND)


def _run_again(evidence: Evidence, network: NetworkEvidence) -> Part:
    """The network's embedding of an image is the one beside its name, and its patient's."""
    here = evidence.pixels[evidence.pixels["view"] == network.view]
    known = drawn(here).merge(network.features, on="image", how="left", suffixes=("", "_said"))
    rows = known["row"].to_numpy(dtype=np.int64)
    again = evidence.again.embeddings(network.folder, evidence.views[network.view].store[rows])
    differ = _differ(again, known[_embedding(known)].to_numpy(), RESCORED)
    another = (known["patient"] != known["patient_said"]).fillna(value=True).to_numpy(dtype=bool)
    wrong = known.loc[differ | another, "patient"]
    says = f"{wrong.nunique()} patients have an embedding that is not of their pixels"
    what = f"features of {network.name}"
    return f"embeddings of {network.name}", len(known), violation(what, wrong, says, MEND)


def _head_again(evidence: Evidence, network: NetworkEvidence) -> Part:
    """What the network makes of all the embeddings of a patient."""
    keys = ["patient", "outer_fold", "seed"]
    parts = [_scored_again(evidence, network, of) for _, of in network.features.groupby(keys[1:])]
    again = pd.concat(parts)
    known = network.predictions.merge(again, on=keys, how="left")
    differ = _differ(known[["again"]].to_numpy(), known[["score"]].to_numpy(), RECOMPUTED)
    wrong = known.loc[differ, "patient"]
    says = f"{wrong.nunique()} patients have a score that is not of their embedding"
    what = f"predictions of {network.name}"
    return f"scores of {network.name}", len(known), violation(what, wrong, says, MEND)


def _scored_again(
    evidence: Evidence, network: NetworkEvidence, features: pd.DataFrame
) -> pd.DataFrame:
    embeddings = features[_embedding(features)].to_numpy(dtype=np.float64)
    patients = features["patient"].astype(str).tolist()
    scores = evidence.again.scores(network.folder, embeddings, patients)
    once = features.drop_duplicates("patient")[["patient", "outer_fold", "seed"]]
    return once.assign(again=once["patient"].astype(str).map(scores))


def _embedding(features: pd.DataFrame) -> list[str]:
    return sorted(str(name) for name in features if str(name).startswith("embedding_"))


def _joined_again(evidence: Evidence, fusion: FusionEvidence) -> Part:
    """What the learner saw as a patient's columns is what cohort and embeddings say."""
    columns, model = fusion.learner.columns, fusion.learner.model
    known = fusion.seen[_scorable(evidence, fusion, fusion.seen["patient"])]
    again = design(known["patient"], columns, evidence.cohort, evidence.features)
    seen = known[list(columns.names)].set_axis(again.index)
    same = (seen == again) | (seen.isna() & again.isna())
    wrong = again.index[~same.all(axis=1)]
    says = f"{len(wrong)} patients had columns that are not theirs when the learner saw them"
    return f"columns of {model}", len(known), violation(f"{model}/columns", wrong, says, MEND)


def _predicted_again(evidence: Evidence, fusion: FusionEvidence) -> Part:
    """The learner's score of a patient's own columns is the one beside the patient."""
    learner = fusion.learner
    what = f"predictions of {learner.model}"
    known = evidence.fused[evidence.fused["model"] == learner.model]
    known = known[_scorable(evidence, fusion, known["patient"])]
    if known.empty:
        return f"scores of {learner.model}", 0, []
    own = design(known["patient"], learner.columns, evidence.cohort, evidence.features)
    again = learner.predict(own.reset_index())
    differ = _differ(again.to_numpy()[:, None], known[["score"]].to_numpy(), AGAIN)
    wrong = known.loc[differ, "patient"]
    says = f"{wrong.nunique()} patients have a score that is not of their columns"
    return f"scores of {learner.model}", len(known), violation(what, wrong, says, MEND)


def _nobodys(evidence: Evidence) -> Part:
    """Scores whose model is not here cannot be recomputed, so they cannot be believed."""
    models = {fusion.learner.model for fusion in evidence.fusions}
    orphans = evidence.fused[~evidence.fused["model"].isin(models)]
    names = ", ".join(sorted(set(orphans["model"])))
    says = f"scores of {names}, of which there is no learner"
    mend = "Run the fuse stage again."
    wrong = violation("predictions of the fusions", orphans["patient"], says, mend)
    return "fused scores with their learner", len(evidence.fused), wrong


def _scorable(evidence: Evidence, fusion: FusionEvidence, patients: pd.Series) -> pd.Series:
    """Patients of the cohort with embeddings; the others are for leaked_patient to name."""
    known = patients.isin(evidence.cohort["patient"])
    for network in fusion.learner.networks:
        known &= patients.isin(evidence.features[network]["patient"])
    return known


def _differ(again: np.ndarray, said: np.ndarray, tolerance: float) -> np.ndarray:
    """Which rows differ by more than the tolerance, relative to the largest value; NaN differs."""
    again, said = (np.asarray(values, dtype=np.float64) for values in (again, said))
    largest = np.abs(again).max(axis=0, initial=0.0)
    return np.asarray(~(np.abs(again - said) <= tolerance * largest).all(axis=1))
