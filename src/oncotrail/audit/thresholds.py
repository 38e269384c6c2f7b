"""Each model's thresholds, chosen again by the study's rule on the validation patients.

What evaluate says of whom it chose a threshold on is not asked: the number itself must be the one
that these patients' scores and outcomes give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isclose

import pandas as pd
from numpy.typing import ArrayLike

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Violation
from oncotrail.audit.whose import groups, with_whose
from oncotrail.cohort.folds import Part, of_fold
from oncotrail.statistics.classification.rules import youden_threshold

CHOOSES = "validation"  # the role that thresholds are chosen on
RULES: Mapping[str, Callable[[ArrayLike, ArrayLike], float]] = {"youden": youden_threshold}
TOLERANCE = 1e-9  # relative: the file holds all digits
AGAIN = "Run the evaluate stage again."
MEND = "Choose it on the validation patients alone, and run the evaluate stage again."


def called(model: str, part: Part, evidence: Evidence) -> str:
    """A threshold in a sentence: that of the served model by the model's name alone."""
    own = "" if part == Part.main(evidence.split) else f"/{part.name}"
    return f"{model}{own}/threshold"


def other_thresholds(evidence: Evidence) -> list[Violation]:
    """The thresholds that are missing, are nobody's, or are not the validation patients'.

    Every outer fold and every seed of a model has its own.
    """
    scored = {(model, part): own for model, part, own in _scored(evidence)}
    said = evidence.thresholds
    wrong = [
        _unmatched(called(*which, evidence), scored.get(which))
        for which in sorted(scored.keys() ^ said.keys(), key=str)
    ]
    for which in sorted(scored.keys() & said.keys(), key=str):
        named = called(*which, evidence)
        wrong += _other_threshold(named, said[which], scored[which], which[1], evidence)
    return wrong


def _scored(evidence: Evidence) -> Iterator[tuple[str, Part, pd.DataFrame]]:
    """All honest scores of the outcome that is evaluated, beside role and outcome."""
    asked = evidence.declared.evaluation.outcome
    table = pd.concat(
        [evidence.fused, *(network.predictions for network in evidence.networks)], ignore_index=True
    )
    honest = table[(table["outcome"] == asked) & (table["mode"] == "honest")]
    keys = ["patient", "outer_fold"]
    roles = evidence.split[[*keys, "role"]].drop_duplicates()
    happened = evidence.cohort[["patient", asked]].rename(columns={asked: "happened"})
    kept = honest[[*keys, "model", "seed", "score"]]
    known = kept.merge(roles, on=keys).merge(happened, on="patient")
    for _, own in known.groupby(["model", "outer_fold", "seed"]):
        model, fold, seed = own[["model", "outer_fold", "seed"]].iloc[0]
        yield str(model), Part(int(fold), seed=int(seed) - evidence.declared.seed), own


def _unmatched(named: str, scored: pd.DataFrame | None) -> Violation:
    if scored is None:
        return Violation(named, (), "is the threshold of no scores here", AGAIN)
    patients = set(scored.loc[scored["role"] == CHOOSES, "patient"].astype(str))
    return Violation(named, tuple(sorted(patients)), "has scores and no threshold", AGAIN)


def _other_threshold(
    named: str, said: float, own: pd.DataFrame, part: Part, evidence: Evidence
) -> list[Violation]:
    rule = evidence.declared.evaluation.threshold

    def fits(patients: frozenset[str]) -> bool:
        chosen = _chosen(rule, own[own["patient"].isin(patients)])
        return chosen is not None and isclose(chosen, said, rel_tol=TOLERANCE)

    validation = frozenset(own.loc[own["role"] == CHOOSES, "patient"].astype(str))
    if fits(validation):
        return []
    chosen = _chosen(rule, own[own["patient"].isin(validation)])
    found = "nothing" if chosen is None else f"{chosen:.6g}"
    says = f"is {said:.6g}, and {rule} on the {len(validation)} {CHOOSES} patients gives {found}"
    wrong = Violation(named, tuple(sorted(validation)), says, MEND)
    fold = of_fold(evidence.split, part.outer_fold)
    return [with_whose(wrong, groups(fold, set(own["patient"])), fits)]


def _chosen(rule: str, among: pd.DataFrame) -> float | None:
    """None where these patients give no threshold: one outcome only, or a blank score."""
    try:
        return RULES[rule](among["happened"].to_numpy(dtype=int), among["score"].to_numpy())
    except ValueError:
        return None
