"""A fusion's learner, fitted again on the rows that its records name.

Imputer, encoder and scaler are fitted again from their own settings, and must transform everybody
as the stored ones do. The sampler and the forest are built again from the study's settings and its
seed, as the fuse stage builds them, and must give everybody the stored forest's score. (A forest of
other rows that scores nobody otherwise is not found; no figure changes by it.) Each part reads what
the stored part before it makes, so that a fault is told where it is.

Only what builds sampler and forest is shared with the stage that is audited: the code that hands
them their rows is not, for a fault there would be repeated here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from oncotrail.audit.evidence import Declared, Evidence
from oncotrail.audit.finding import Violation, violation
from oncotrail.audit.models import FusionEvidence
from oncotrail.audit.whose import Group, groups, with_whose
from oncotrail.cohort.folds import of_fold
from oncotrail.errors import TrainingFault
from oncotrail.fusion.columns import as_learner_sees
from oncotrail.fusion.learner import random_forest, random_state, score
from oncotrail.fusion.resampling import NOBODY, resample

TOLERANCE = 1e-9  # the same fit on the same numbers
MOST_APART = 5  # patients named, of those whom a forest fitted again scores otherwise
MEND = "Fit on the rows that the record names, and record those rows; run the fuse stage again."


def other_rows(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    """The parts that were not fitted on what their records name."""
    fold, records = of_fold(evidence.split, fusion.outer_fold), fusion.records(evidence.fused_on)
    rows = _in_order(as_learner_sees(fusion.learner.columns, fusion.seen), fold)
    among, wrong = groups(fold, set(rows.index)), []
    *parts, (_, forest) = fusion.learner.pipeline.steps
    for name, step in parts:
        record = records[records["object"] == f"{fusion.learner.model}/{name}"]
        named = frozenset(record["patient"].astype(str))
        wrong += _other_part(f"{fusion.called}/{name}", step, rows, named, among)
        rows = step.transform(rows)
    return [*wrong, *_other_forest(fusion, forest, rows, evidence)]


def _in_order(rows: pd.DataFrame, fold: pd.DataFrame) -> pd.DataFrame:
    """In the split's order, as the fuse stage fits: trees depend on the order of rows."""
    return rows.loc[fold.loc[fold["patient"].isin(rows.index), "patient"].drop_duplicates()]


def _other_part(
    object_: str, step: Any, rows: pd.DataFrame, named: frozenset[str], among: list[Group]
) -> list[Violation]:
    from sklearn.base import clone

    made = step.transform(rows)

    def fits(patients: frozenset[str]) -> bool:
        own = rows[rows.index.isin(patients)]
        if own.empty or own.isna().all().any():  # of a blank column, no imputer learns anything
            return False
        return _alike(clone(step).fit(own).transform(rows), made)

    if not named or fits(named):
        return []
    says = f"was not fitted on the {len(named)} patients that its record names"
    return [with_whose(Violation(object_, tuple(sorted(named)), says, MEND), among, fits)]


def _alike(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    numbers = one.select_dtypes("number").columns
    close = np.allclose(one[numbers], other[numbers], rtol=TOLERANCE, atol=TOLERANCE)
    return bool(close and one.drop(columns=numbers).equals(other.drop(columns=numbers)))


def _other_forest(
    fusion: FusionEvidence, forest: Any, rows: pd.DataFrame, evidence: Evidence
) -> list[Violation]:
    model, object_ = fusion.learner.model, f"{fusion.called}/learner"
    records, declared = fusion.records(evidence.fused_on), evidence.declared
    # Whose rows it was grown from: the sampler's, where the study asks for one.
    first = "learner" if declared.fusion.resampling is None else "sampler"
    entered = records.loc[records["object"] == f"{model}/{first}", "patient"]
    own = rows[rows.index.isin(entered)]
    if own.empty:  # the record is missing, or names strangers; both are told elsewhere
        return []
    try:
        again, grew_on = _grown(model, own, declared, evidence.cohort)
        apart = (score(again, rows) - score(forest, rows)).abs()
    except (TrainingFault, ValueError) as error:
        says = f"cannot be fitted on the {len(own)} patients that its record names ({error})"
        return violation(object_, own.index, says, MEND)
    said = records[records["object"] == f"{model}/learner"]
    return _scores_apart(object_, apart, len(own)) or _drawn_apart(object_, said, grew_on)


def _grown(
    model: str, rows: pd.DataFrame, declared: Declared, cohort: pd.DataFrame
) -> tuple[Any, pd.Index]:
    """The forest that seed and settings give on these patients, and the index of its rows."""
    plan = declared.fusion
    outcome = cohort.set_index("patient")[plan.outcome].reindex(rows.index).astype(int)
    if plan.resampling is not None:
        state = random_state(declared.seed, model, "sampler")
        _, rows, outcome = resample(rows, outcome, plan.resampling, state)
    forest = random_forest(plan.learner, random_state(declared.seed, model, "learner"))
    return forest.fit(rows, outcome), rows.index


def _scores_apart(object_: str, apart: pd.Series, fitted: int) -> list[Violation]:
    differ = apart[~(apart <= TOLERANCE)].sort_values(ascending=False)
    says = (
        f"is not the forest of the {fitted} patients that its record names: fitted again on them, "
        f"it scores {len(differ)} patients otherwise, by up to {apart.max():.2g}; most of all those"
    )
    return violation(object_, differ.index[:MOST_APART], says, MEND)


def _drawn_apart(object_: str, record: pd.DataFrame, grew_on: pd.Index) -> list[Violation]:
    """The forest is right, and its record names other rows, or synthetic rows of others."""
    keys = [record["patient"].astype(str), record["synthetic"].astype(bool)]
    said = record["times"].astype(int).groupby(keys).sum()
    differ = said.sub(_drawn(grew_on), fill_value=0)
    wrong = differ.index.get_level_values(0)[differ.to_numpy() != 0]
    says = f"grew on other rows of {wrong.nunique()} patients than its record names"
    return violation(object_, wrong, says, MEND) if len(record) else []


def _drawn(index: pd.Index) -> pd.Series:
    """(patient, synthetic) -> in how many rows; a synthetic row is of both its parents."""
    rows = index.to_frame(index=False)
    neighbour = rows["neighbour"] if "neighbour" in rows else pd.Series(NOBODY, index=rows.index)
    made = neighbour != NOBODY
    patient = pd.concat([rows["patient"], neighbour[made]]).astype(str)
    drawn: pd.Series = patient.groupby([patient, pd.concat([made, made[made]])]).size()
    return drawn
