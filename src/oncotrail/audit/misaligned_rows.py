"""misaligned_rows: every number beside a patient is that patient's, recomputed from what it is of.

    image file, its box or mask -> pictures          the file is decoded again
    pictures -> embedding                            the network is run again
    embeddings -> score                              its head, or its attention, is computed again
    cohort, embeddings, scores -> the columns of a fusion    joined again by patient id
    columns -> score of a fusion                     the learner is asked again

A score that was joined by position is somebody else's, and differs from the one recomputed. (Two
patients whose numbers are equal may be exchanged unseen; nothing changes by it.) Every part of a
network's training is asked of the patients whom it scored, and every outer fold's fusion of its
own; `rerun` says of how many.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Finding, found, violation
from oncotrail.audit.models import FusionEvidence
from oncotrail.audit.rerun import MEND, Link, decoded_again, differ, of_no_part, seen_again
from oncotrail.fusion.columns import design

CHECK = "misaligned_rows"
AGAIN = 1e-9  # the same forest on the same numbers


def misaligned_rows(evidence: Evidence) -> Finding:
    """Follow every number from the image and the clinical table to the score."""
    links = list(_links(evidence))
    looked = {what: count for what, count, _ in links}
    wrong = [wrong for _, _, own in links for wrong in own]
    for network in evidence.networks:
        wrong += of_no_part(network)
    return found(CHECK, looked, wrong)


def _links(evidence: Evidence) -> Iterator[Link]:
    for view in evidence.views:
        yield decoded_again(evidence, view)
    for network in evidence.networks:
        yield from seen_again(evidence, network)
    for fusion in evidence.fusions:
        yield _joined_again(evidence, fusion)
        yield _predicted_again(evidence, fusion)
    yield _nobodys(evidence)


def _joined_again(evidence: Evidence, fusion: FusionEvidence) -> Link:
    """What the learner saw as a patient's columns is what cohort, embeddings and scores say."""
    known = fusion.seen[_scorable(evidence, fusion, fusion.seen["patient"])]
    again = _design(evidence, fusion, known["patient"])
    seen = known[list(fusion.learner.columns.names)].set_axis(again.index)
    same = (seen == again) | (seen.isna() & again.isna())
    wrong = again.index[~same.all(axis=1)]
    says = f"{len(wrong)} patients had columns that are not theirs when the learner saw them"
    where = f"{fusion.called}/columns"
    return f"columns of {fusion.called}", len(known), violation(where, wrong, says, MEND)


def _predicted_again(evidence: Evidence, fusion: FusionEvidence) -> Link:
    """The learner's score of a patient's own columns is the one beside the patient."""
    known = evidence.fused[evidence.fused["model"] == fusion.learner.model]
    known = known[known["outer_fold"] == fusion.outer_fold]
    known = known[_scorable(evidence, fusion, known["patient"])]
    if known.empty:
        return f"scores of {fusion.called}", 0, []
    again = fusion.learner.predict(_design(evidence, fusion, known["patient"]).reset_index())
    apart = differ(again.to_numpy()[:, None], known[["score"]].to_numpy(), AGAIN)
    wrong = known.loc[apart, "patient"]
    says = f"{wrong.nunique()} patients have a score that is not of their columns"
    what = f"predictions of {fusion.called}"
    return f"scores of {fusion.called}", len(known), violation(what, wrong, says, MEND)


def _nobodys(evidence: Evidence) -> Link:
    """Scores whose model is not here cannot be recomputed, so they cannot be believed."""
    here = {(fusion.learner.model, fusion.outer_fold) for fusion in evidence.fusions}
    made_by = zip(evidence.fused["model"], evidence.fused["outer_fold"], strict=True)
    orphaned = pd.Series([by not in here for by in made_by], evidence.fused.index, dtype=bool)
    orphans = evidence.fused[orphaned]
    names = ", ".join(sorted(set(orphans["model"])))
    says = f"scores of {names}, of which there is no learner"
    mend = "Run the fuse stage again."
    wrong = violation("predictions of the fusions", orphans["patient"], says, mend)
    return "fused scores with their learner", len(evidence.fused), wrong


def _design(evidence: Evidence, fusion: FusionEvidence, patients: pd.Series) -> pd.DataFrame:
    """These patients' columns, joined again from what they come from in the fusion's fold."""
    features, predictions = (
        of(fusion.outer_fold) for of in (evidence.features, evidence.predictions)
    )
    return design(patients, fusion.learner.columns, evidence.cohort, features, predictions)


def _scorable(evidence: Evidence, fusion: FusionEvidence, patients: pd.Series) -> pd.Series:
    """Patients of the cohort whom its networks know; the others are for leaked_patient to name."""
    known, columns = patients.isin(evidence.cohort["patient"]), fusion.learner.columns
    features, predictions = (
        of(fusion.outer_fold) for of in (evidence.features, evidence.predictions)
    )
    for network in columns.embeddings:
        known &= patients.isin(features[network]["patient"])
    for network in columns.scores:
        known &= patients.isin(predictions[network]["patient"])
    return known
