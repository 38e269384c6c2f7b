"""Each model's threshold, chosen again by the study's rule on the validation patients.

What evaluate says of whom it chose a threshold on is not asked: the number itself must be the one
that these patients' scores and outcomes give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isclose

import pandas as pd
from numpy.typing import ArrayLike

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Violation
from oncotrail.audit.whose import groups, with_whose
from oncotrail.statistics.classification.rules import youden_threshold

CHOOSES = "validation"  # the role that thresholds are chosen on
RULES: Mapping[str, Callable[[ArrayLike, ArrayLike], float]] = {"youden": youden_threshold}
TOLERANCE = 1e-9  # relative: the file holds all digits
MEND = "Choose it on the validation patients alone, and run the evaluate stage again."


def other_thresholds(evidence: Evidence) -> list[Violation]:
    """The models whose threshold is missing, is nobody's, or is not the validation patients'."""
    scored = _scored(evidence)
    models = {str(model): own for model, own in scored.groupby("model")}
    wrong = [_unmatched(model, scored) for model in sorted(models.keys() ^ evidence.thresholds)]
    for model in sorted(models.keys() & evidence.thresholds):
        wrong += _other_threshold(model, models[model], evidence)
    return wrong


def _scored(evidence: Evidence) -> pd.DataFrame:
    """All honest scores of the outcome that is evaluated, beside role and outcome."""
    asked = evidence.declared.evaluation.outcome
    table = pd.concat(
        [evidence.fused, *(network.predictions for network in evidence.networks)], ignore_index=True
    )
    honest = table[(table["outcome"] == asked) & (table["mode"] == "honest")]
    roles = evidence.split[["patient", "role"]].drop_duplicates()
    happened = evidence.cohort[["patient", asked]].rename(columns={asked: "happened"})
    kept = honest[["model", "patient", "score"]]
    return kept.merge(roles, on="patient").merge(happened, on="patient")


def _unmatched(model: str, scored: pd.DataFrame) -> Violation:
    own = scored[(scored["model"] == model) & (scored["role"] == CHOOSES)]
    says = "has scores and no threshold" if len(own) else "is the threshold of no scores here"
    patients = tuple(sorted(set(own["patient"].astype(str))))
    return Violation(f"{model}/threshold", patients, says, "Run the evaluate stage again.")


def _other_threshold(model: str, own: pd.DataFrame, evidence: Evidence) -> list[Violation]:
    said, rule = evidence.thresholds[model], evidence.declared.evaluation.threshold

    def fits(patients: frozenset[str]) -> bool:
        chosen = _chosen(rule, own[own["patient"].isin(patients)])
        return chosen is not None and isclose(chosen, said, rel_tol=TOLERANCE)

    validation = frozenset(own.loc[own["role"] == CHOOSES, "patient"].astype(str))
    if fits(validation):
        return []
    chosen = _chosen(rule, own[own["patient"].isin(validation)])
    found = "nothing" if chosen is None else f"{chosen:.6g}"
    says = f"is {said:.6g}, and {rule} on the {len(validation)} {CHOOSES} patients gives {found}"
    wrong = Violation(f"{model}/threshold", tuple(sorted(validation)), says, MEND)
    return [with_whose(wrong, groups(evidence.split, set(own["patient"])), fits)]


def _chosen(rule: str, among: pd.DataFrame) -> float | None:
    """None where these patients give no threshold: one outcome only, or a blank score."""
    try:
        return RULES[rule](among["happened"].to_numpy(dtype=int), among["score"].to_numpy())
    except ValueError:
        return None
