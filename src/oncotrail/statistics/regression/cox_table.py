"""The table of a paper: each term alone, then together, and by which rule terms were chosen.

A term is one column, or several that only mean something together (the levels of a factor, the
pieces of a spline); it is tested as a whole, by the likelihood ratio of the models with and without
it or by Wald's joint test. Which terms stand together is a declared rule, and the result repeats
it:

- "all": those that were declared, without looking at the outcome;
- "univariable": those whose p alone is below a threshold (common, and biased: Sun, Shook and Kay,
  J. Clin. Epidemiol. 1996, 49:907);
- "backward aic", "backward p": all, then out with the term that AIC gains most by losing, or whose
  p is largest and not below the threshold, until none is left to remove.

p values and intervals after a choice are too good, as if the choice had been known beforehand
(Harrell, Regression Modeling Strategies, 2015, section 4.3): that is why the rule, the removals
and the events per *candidate* column are part of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import column_names, one_of
from oncotrail.statistics.regression.chi_squared import ChiSquared
from oncotrail.statistics.regression.cox_model import CoxFit, HazardRatio, Ties
from oncotrail.statistics.regression.cox_sample import CoxSample, cox_sample
from oncotrail.statistics.regression.term_test import By, fit_columns, term_test

Rule = Literal["all", "univariable", "backward aic", "backward p"]


@dataclass(frozen=True)
class TermResult:
    """A term in a model: a hazard ratio for each of its columns, and the test of them jointly."""

    name: str
    ratios: tuple[HazardRatio, ...]
    test: ChiSquared


@dataclass(frozen=True)
class Removal:
    """A term that backward elimination took out: AIC with and without it, and its p."""

    name: str
    aic_with: float
    aic_without: float
    p_value: float


@dataclass(frozen=True)
class CoxTable:
    """Terms alone and together. `model` is None, and `multivariable` empty, if none was chosen.

    `events_per_variable` counts the columns of every candidate, `..._in_model` of those chosen
    (None if none); below 10 to 20 a model is likely to be overfitted.
    """

    univariable: tuple[TermResult, ...]
    multivariable: tuple[TermResult, ...]
    chosen: tuple[str, ...]
    rule: str
    removals: tuple[Removal, ...]
    model: CoxFit | None
    n: int
    events: int
    events_per_variable: float
    events_per_variable_in_model: float | None


def cox_table(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    terms: Mapping[str, Sequence[int]] | None = None,
    *,
    rule: Rule = "all",
    threshold: float = 0.05,
    by: By = "likelihood ratio",
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> CoxTable:
    """Univariable and multivariable Cox regression; ratios above 1 are worse.

    `terms` are names and their columns (`terms.places` has them for levels and splines); without
    them each column is a term by its name. Weights, strata, entry and clusters are as in `fit_cox`.
    With clusters or fractional weights the likelihood is none: only `by="wald"`, and no AIC.

    >>> times, events = [5, 8, 3, 9, 2, 7, 4, 6], [1, 0, 1, 1, 1, 0, 1, 1]
    >>> x = [[0, 1], [0, 3], [1, 2], [1, 5], [1, 0], [0, 4], [1, 1], [0, 2]]
    >>> table = cox_table(times, events, x, {"arm": [0], "dose": [1]}, rule="backward p")
    >>> table.chosen, table.rule
    (('dose',), 'backward elimination, likelihood ratio p below 0.05 to stay')
    """
    sample = cox_sample(
        times, events, covariates, weights=weights, strata=strata, entry=entry, clusters=clusters
    )
    _check_choice(rule, threshold, by, sample)
    labels = column_names(names, sample.covariates.shape[1])
    models = _Models(sample, labels, _columns(terms, labels), ties, by)
    alone = tuple(models.results((name,), confidence)[0] for name in models.columns)
    chosen, removals = _chosen(models, alone, rule, threshold)
    model = models.fit(chosen) if chosen else None
    count = sample.number_of_events
    return CoxTable(
        univariable=alone,
        multivariable=models.results(chosen, confidence) if chosen else (),
        chosen=chosen,
        rule=_sentence(rule, by, threshold),
        removals=removals,
        model=model,
        n=sample.n,
        events=count,
        events_per_variable=count / sum(len(kept) for kept in models.columns.values()),
        events_per_variable_in_model=None if model is None else count / len(model.names),
    )


@dataclass(frozen=True, eq=False)
class _Models:
    """All that is needed to fit any set of terms."""

    sample: CoxSample
    names: tuple[str, ...]
    columns: dict[str, list[int]]
    ties: Ties
    by: By

    def fit(self, terms: Sequence[str]) -> CoxFit:
        kept = [place for term in terms for place in self.columns[term]]
        return fit_columns(self.sample, kept, self.names, self.ties)

    def results(self, terms: Sequence[str], confidence: float) -> tuple[TermResult, ...]:
        model = self.fit(terms)
        ratios = model.hazard_ratios(confidence)
        return tuple(
            TermResult(
                term, tuple(ratios[place] for place in places), term_test(model, places, self.by)
            )
            for term, places in self.places(terms).items()
        )

    def places(self, terms: Sequence[str]) -> dict[str, list[int]]:
        """Where each term's columns stand in the model of these terms."""
        ends = np.cumsum([len(self.columns[term]) for term in terms]).tolist()
        starts = [0, *ends[:-1]]
        return {t: list(range(a, b)) for t, a, b in zip(terms, starts, ends, strict=True)}


def _chosen(
    models: _Models, alone: tuple[TermResult, ...], rule: Rule, threshold: float
) -> tuple[tuple[str, ...], tuple[Removal, ...]]:
    if rule == "all":
        return tuple(models.columns), ()
    if rule == "univariable":
        return tuple(found.name for found in alone if found.test.p_value < threshold), ()
    return _backward(models, rule, threshold)


def _backward(
    models: _Models, rule: Rule, threshold: float
) -> tuple[tuple[str, ...], tuple[Removal, ...]]:
    terms, removals = tuple(models.columns), []
    while terms:
        candidates = _candidates(models, terms)
        if rule == "backward aic":
            worst = min(candidates, key=lambda found: found.aic_without)
            stays = worst.aic_without >= worst.aic_with
        else:
            worst = max(candidates, key=lambda found: found.p_value)
            stays = worst.p_value < threshold
        if stays:
            break
        removals.append(worst)
        terms = tuple(term for term in terms if term != worst.name)
    return terms, tuple(removals)


def _candidates(models: _Models, terms: tuple[str, ...]) -> list[Removal]:
    full = models.fit(terms)
    found = []
    for term, places in models.places(terms).items():
        rest = tuple(other for other in terms if other != term)
        value = models.fit(rest).log_likelihood if rest else full.null_log_likelihood
        without = -2 * value + 2 * (len(full.names) - len(places))
        test = term_test(full, places, models.by)
        found.append(Removal(term, full.aic, without, test.p_value))
    return found


def _sentence(rule: Rule, by: By, threshold: float) -> str:
    return {
        "all": "all terms, as declared",
        "univariable": f"univariable {by} p below {threshold:g}",
        "backward aic": "backward elimination, by AIC",
        "backward p": f"backward elimination, {by} p below {threshold:g} to stay",
    }[rule]


def _check_choice(rule: str, threshold: float, by: str, sample: CoxSample) -> None:
    one_of(rule, get_args(Rule), "rule")
    one_of(by, get_args(By), "by")
    if not 0 < threshold <= 1:
        raise ValueError(f"found threshold {threshold}; expected a p above 0, at most 1.")
    if sample.needs_robust and (by != "wald" or rule == "backward aic"):
        raise ValueError(
            f"found by={by!r} and rule={rule!r} with clusters or fractional weights, which have no "
            "likelihood; expected by='wald' and another rule than 'backward aic'."
        )


def _columns(
    terms: Mapping[str, Sequence[int]] | None, names: tuple[str, ...]
) -> dict[str, list[int]]:
    """Each term's columns, none of them in two terms."""
    if terms is None:
        return {name: [place] for place, name in enumerate(names)}
    used = [place for kept in terms.values() for place in kept]
    if not all(len(kept) for kept in terms.values()) or sorted(set(used)) != sorted(used):
        raise ValueError("terms: expected at least one column each, and no column in two terms.")
    if not used or not set(used) <= set(range(len(names))):
        raise ValueError(
            f"terms: found columns {sorted(used)}; expected numbers from 0 to {len(names) - 1}."
        )
    return {name: list(kept) for name, kept in terms.items()}
