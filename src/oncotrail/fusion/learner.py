"""Fit one learner on one column set, and note whose rows each of its parts was fitted on.

The parts, each fitted on what the one before made of the same training rows:

    imputer   blanks -> the training rows' median and most frequent level
    encoder   categories -> one column per declared level; the others pass
    scaler    every column to mean 0 and deviation 1, so that the sampler's distances compare
              like with like (a forest alone would not need it)
    sampler   synthetic rows of the smaller class; only while fitting
    learner   the forest
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.errors import TrainingFault
from oncotrail.fusion.columns import Columns
from oncotrail.fusion.resampling import NOBODY, resample
from oncotrail.record import FittedKind, FittedOn, counted, generator
from oncotrail.study.fusion import Fusion, Imputation, RandomForest

BLANK_LEVEL = "not recorded"


@dataclass(frozen=True)
class FittedLearner:
    """A pipeline that turns columns into probabilities, and the rows that its parts saw."""

    pipeline: Any  # imputer, encoder, scaler, learner: what prediction needs
    fitted_on: tuple[FittedOn, ...]

    @property
    def synthetic_rows(self) -> int:
        """How many rows the sampler made: each counts for the two patients it lies between."""
        made = [part for part in self.fitted_on if part.kind == "learner"]
        drawn = zip(made[0].times, made[0].synthetic, strict=True)
        return sum(times for times, synthetic in drawn if synthetic) // 2


def fit(
    table: pd.DataFrame,
    outcome: pd.Series,
    columns: Columns,
    plan: Fusion,
    *,
    model: str,
    seed: int,
) -> FittedLearner:
    """Fit on exactly these rows; `table` and `outcome` are indexed by patient."""
    from sklearn.pipeline import Pipeline

    outcome = outcome.reindex(table.index)
    _check_rows(table, outcome, model)
    fitting = _Fitting(model)
    steps: dict[FittedKind, Any] = {
        "imputer": _imputer(columns, plan.imputation),
        "encoder": _encoder(columns, plan.imputation),
        "scaler": _scaler(),
    }
    rows = table
    for kind, step in steps.items():
        rows = fitting.fit(kind, step, rows).transform(rows)
    if plan.resampling is not None:
        fitting.note("sampler", rows.index)
        _, rows, outcome = resample(
            rows, outcome, plan.resampling, random_state(seed, model, "sampler")
        )
    steps["learner"] = random_forest(plan.learner, random_state(seed, model, "learner"))
    fitting.fit("learner", steps["learner"], rows, outcome)
    return FittedLearner(Pipeline(list(steps.items())), tuple(fitting.records))


def score(pipeline: Any, table: pd.DataFrame) -> pd.Series:
    """The probability of the outcome for each row, named by the table's index."""
    positive = list(pipeline.classes_).index(1)
    return pd.Series(
        pipeline.predict_proba(table)[:, positive], index=table.index, name="score", dtype=float
    )


class _Fitting:
    """The one door to a `fit`: notes whose rows went through it, from the rows themselves."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.records: list[FittedOn] = []

    def fit(
        self, kind: FittedKind, step: Any, rows: pd.DataFrame, outcome: pd.Series | None = None
    ) -> Any:
        step.fit(rows, outcome)
        self.note(kind, rows.index)
        return step

    def note(self, kind: FittedKind, index: pd.Index) -> None:
        self.records.append(fitted_rows(f"{self.model}/{kind}", kind, index))


def fitted_rows(name: str, kind: FittedKind, index: pd.Index) -> FittedOn:
    """The record of a fit that saw rows with this index: patients, or (patient, neighbour)."""
    if isinstance(index, pd.MultiIndex):
        neighbour = index.get_level_values("neighbour").to_numpy()
        patient = index.get_level_values("patient").to_numpy()
        made = neighbour != NOBODY
        own, parents = patient[~made], np.concatenate([patient[made], neighbour[made]])
    else:
        own, parents = index.to_numpy(), np.array([], dtype=str)
    own_names, own_times = counted(own.tolist())
    parent_names, parent_times = counted(parents.tolist())
    return FittedOn(
        object=name,
        kind=kind,
        patients=own_names + parent_names,
        times=own_times + parent_times,
        synthetic=(False,) * len(own_names) + (True,) * len(parent_names),
    )


def _check_rows(table: pd.DataFrame, outcome: pd.Series, model: str) -> None:
    classes: Mapping[Any, int] = outcome.value_counts().to_dict()
    if set(classes) != {0, 1}:
        message = (
            f"{model} would be fitted on {len(table)} patients with outcomes {classes}; both 0 and "
            "1 are needed. Keep more patients for the fusion (split.fusion_folds)."
        )
        raise TrainingFault(message)
    blank = [name for name in table if table[name].isna().all()]
    if blank:
        message = (
            f"{model}: columns {blank} are blank for every one of the {len(table)} patients that "
            "it is fitted on, so nothing can stand in for a blank; take them out of the study file."
        )
        raise TrainingFault(message)


def _imputer(columns: Columns, plan: Imputation) -> Any:
    """Embeddings are never blank: the features table refuses that, so they pass."""
    from sklearn.impute import SimpleImputer

    categories = (
        SimpleImputer(strategy="constant", fill_value=BLANK_LEVEL)
        if plan.categories == "own_level"
        else SimpleImputer(strategy="most_frequent")
    )
    return _by_kind(
        ("numbers", SimpleImputer(strategy=plan.numbers), list(columns.numbers)),
        ("categories", categories, list(columns.categories)),
    )


def _encoder(columns: Columns, plan: Imputation) -> Any:
    """Nominal codes have no order, so each level is a column; of two levels, one says it all."""
    from sklearn.preprocessing import OneHotEncoder

    more = (BLANK_LEVEL,) if plan.categories == "own_level" else ()
    levels = [[*own, *more] for own in columns.categories.values()]
    encoder = OneHotEncoder(categories=levels, drop="if_binary", sparse_output=False)
    return _by_kind(("categories", encoder, list(columns.categories)))


def _scaler() -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().set_output(transform="pandas")


def _by_kind(*parts: tuple[str, Any, list[str]]) -> Any:
    """Columns by name to their transformer; the others pass, and the index stays."""
    from sklearn.compose import ColumnTransformer

    kept = ColumnTransformer(list(parts), remainder="passthrough", verbose_feature_names_out=False)
    return kept.set_output(transform="pandas")


def random_forest(plan: RandomForest, state: int) -> Any:
    """An unfitted forest with the study's settings; `state` is its `random_state`."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=plan.trees,
        bootstrap=plan.bootstrap,
        min_samples_split=plan.minimum_split,
        min_samples_leaf=plan.minimum_leaf,
        min_weight_fraction_leaf=plan.minimum_leaf_fraction,
        random_state=state,
        n_jobs=1,  # the order of additions changes the last digits
    )


def random_state(seed: int, model: str, part: str) -> int:
    """The state that one part of one model starts from, by the study's seed."""
    return int(generator(seed, "fuse", model, part).integers(2**31 - 1))
