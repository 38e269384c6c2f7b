"""What a fusion's learner reads, side by side by patient id.

Clinical columns; all numbers of a network's embedding; or one number, the log odds of its score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TableError
from oncotrail.study.base import nearest
from oncotrail.study.cohort import Category, Cohort
from oncotrail.study.fusion import ColumnSet

EMBEDDING = "embedding_"  # what a features table calls its numbers: embedding_00, embedding_01, ...
LOG_ODDS = "log_odds"  # what a score's column ends with
NEVER_CERTAIN = 2.0**-53  # a score of exactly 0 or 1 is one that its digits rounded there

Frames = Mapping[str, pd.DataFrame]
NONE: Frames = MappingProxyType({})


@dataclass(frozen=True)
class Columns:
    """One learner's columns, in its order: numbers, categories with levels, embeddings, scores."""

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    embeddings: Mapping[str, tuple[str, ...]]  # network -> its columns, prefixed by its name
    scores: Mapping[str, str] = field(default_factory=dict)  # network -> its column

    @property
    def clinical(self) -> tuple[str, ...]:
        """The columns that come from the cohort table."""
        return (*self.numbers, *self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column, in the order in which the learner reads them."""
        embedded = (name for own in self.embeddings.values() for name in own)
        return (*self.clinical, *embedded, *self.scores.values())

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that they come from, by embedding or by score, each once."""
        return tuple(dict.fromkeys((*self.embeddings, *self.scores)))


def declared_columns(asked: ColumnSet, cohort: Cohort, features: Frames) -> Columns:
    """The columns of one column set; `features` holds each network's features table."""
    unknown = [network for network in asked.looks_through if network not in features]
    if unknown:
        message = f"fusion reads network {unknown[0]!r}. {nearest(unknown[0], features)}"
        raise StudyFileError(message)
    clinical = cohort.clinical if asked.clinical else {}
    columns = Columns(
        numbers=tuple(name for name, kind in clinical.items() if not isinstance(kind, Category)),
        categories={
            name: tuple(kind.levels)
            for name, kind in clinical.items()
            if isinstance(kind, Category)
        },
        embeddings={
            network: tuple(_prefixed(network, features[network]).values())
            for network in asked.networks
        },
        scores={network: f"{network}_{LOG_ODDS}" for network in asked.scores},
    )
    if not columns.names:
        message = "a fusion model reads no columns; give it clinical: true, networks or scores."
        raise StudyFileError(message)
    return columns


def design(
    patients: pd.Series,
    columns: Columns,
    cohort: pd.DataFrame,
    features: Frames,
    predictions: Frames = NONE,
) -> pd.DataFrame:
    """The learner's table of these patients: indexed by patient, joined by patient id alone.

    `features` and `predictions` are by network, with a row per patient; the second are needed for
    the networks whose scores are read.
    """
    table = pd.DataFrame({"patient": patients.to_numpy()})
    if columns.clinical:
        table = tables.join(table, cohort[["patient", *columns.clinical]], "clinical columns")
    for network in columns.embeddings:
        own = features[network].rename(columns=_prefixed(network, features[network]))
        own = own[["patient", *columns.embeddings[network]]]
        table = tables.join(table, own, f"embeddings of {network}")
    for network, name in columns.scores.items():
        if network not in predictions:
            message = f"the learner reads the score of {network}; give its predictions table too."
            raise TableError(message)
        scored = predictions[network]
        own = scored[["patient"]].assign(**{name: log_odds(scored["score"])})
        table = tables.join(table, own, f"scores of {network}")
    return as_learner_sees(columns, table)


def log_odds(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Log odds of scores, finite also where digits ran out; a blank stays NaN.

    >>> log_odds([0.5, 0.75, 1.0]).round(4).tolist()
    [0.0, 1.0986, 36.7368]
    """
    certain = np.asarray(probabilities, dtype=np.float64)
    open_ = np.clip(certain, NEVER_CERTAIN, 1 - NEVER_CERTAIN)
    return np.asarray(np.log(open_) - np.log1p(-open_))


def as_learner_sees(columns: Columns, table: pd.DataFrame) -> pd.DataFrame:
    """`table` (patient and columns, in any order) as the learner takes it, or a `TableError`.

    Blanks are NaN, whatever the table's file made of them; imputing them is the learner's part.
    """
    absent = [name for name in ("patient", *columns.names) if name not in table]
    if absent:
        message = f"the learner reads columns {absent}, which the table lacks; add them."
        raise TableError(message)
    seen: dict[str, pd.Series] = {}
    for name in columns.names:
        if name in columns.categories:
            seen[name] = _levels(table, name, columns.categories[name])
        else:
            seen[name] = table[name].astype("Float64").astype("float64")
    index = pd.Index(table["patient"].astype(str), name="patient", dtype=object)
    return pd.DataFrame({name: values.to_numpy() for name, values in seen.items()}, index=index)


def _levels(table: pd.DataFrame, name: str, levels: tuple[str, ...]) -> pd.Series:
    values = table[name].astype("string")
    wrong = values.notna() & ~values.isin(levels)
    if wrong.any():
        first = table[wrong].iloc[0]
        message = (
            f"patient {first['patient']} has {name} = {first[name]!r}, which is none of "
            f"{list(levels)}; correct the value, or declare the level in the study file."
        )
        raise TableError(message)
    return values.astype(object).where(values.notna(), np.nan)


def _prefixed(network: str, features: pd.DataFrame) -> dict[str, str]:
    """An embedding's names in its network's table -> its names here."""
    own = sorted(str(name) for name in features if str(name).startswith(EMBEDDING))
    if not own:
        message = f"the features of {network} have no {EMBEDDING}.. columns; train it again."
        raise TableError(message)
    return {name: f"{network}_{name}" for name in own}
