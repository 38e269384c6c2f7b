"""The patient-level bootstrap of any statistic: how much a figure moves with other patients.

Patients are drawn with replacement, each with all of its images (`resampling`); the statistic is
computed on every resample (`replication`), and the interval is read off the spread of these
replicates (`endpoints`): percentile, basic, or BCa, which corrects for bias and skewness and is the
default (Efron, JASA 1987, 82:171). The acceleration of BCa comes from leaving out patients, never
images.

Undefined replicates are counted and reported, and the interval is refused when they are many: the
rest would tell of the lucky resamples only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from oncotrail.statistics.arrays import Floats, checked_confidence, one_of
from oncotrail.statistics.intervals import Interval
from oncotrail.statistics.uncertainty.endpoints import basic_ends, bca_ends, percentile_ends
from oncotrail.statistics.uncertainty.replication import Statistic, influence, replicates
from oncotrail.statistics.uncertainty.resampling import Clusters, Resamples

Method = Literal["percentile", "basic", "bca"]


@dataclass(frozen=True)
class Bootstrapped:
    """A figure with its bootstrap interval.

    `value` is None where the figure is undefined on these patients; `low` and `high` also where
    the replicates do not differ (a perfect or a constant marker): they would claim certainty.
    `standard_error` is the standard deviation of the replicates, `bias` their mean less the value.
    `undefined` of the `resamples` gave no figure.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    standard_error: float | None
    bias: float | None
    n: int
    rows: int
    resamples: int
    undefined: int
    method: str
    events: int | None = None


def bootstrap(
    statistic: Statistic,
    resamples: Resamples,
    *,
    confidence: float = 0.95,
    method: Method = "bca",
    most_undefined: float = 0.05,
) -> Bootstrapped:
    """The interval of one statistic.

    More than a share of `most_undefined` undefined replicates are refused; stratifying by outcome
    often prevents them.

    >>> from functools import partial
    >>> from oncotrail.statistics.uncertainty.metrics import accuracy
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> drawn = resample([1, 1, 2, 3, 4, 5], generator=np.random.default_rng(1), number=500)
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [0.1, 0.6, 0.3, 0.4, 0.8, 0.9]
    >>> found = bootstrap(partial(accuracy, labels, scores, threshold=0.5), drawn)
    >>> round(found.value, 3), found.n, found.rows
    (0.667, 5, 6)
    """
    return bootstrap_together(
        {"statistic": statistic},
        resamples,
        confidence=confidence,
        method=method,
        most_undefined=most_undefined,
    )["statistic"]


def paired_difference(
    first: Statistic,
    second: Statistic,
    resamples: Resamples,
    *,
    confidence: float = 0.95,
    method: Method = "bca",
    most_undefined: float = 0.05,
) -> Bootstrapped:
    """The interval of first - second, both on the same resamples of the same rows.

    >>> from functools import partial
    >>> from oncotrail.statistics.uncertainty.metrics import auc
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels = [0, 0, 0, 1, 1, 1]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(1), number=500)
    >>> old, new = [0.1, 0.6, 0.3, 0.4, 0.2, 0.9], [0.1, 0.6, 0.3, 0.4, 0.8, 0.9]
    >>> found = paired_difference(partial(auc, labels, new), partial(auc, labels, old), drawn)
    >>> round(found.value, 3)
    0.222
    """
    return bootstrap(
        lambda weights: first(weights) - second(weights),
        resamples,
        confidence=confidence,
        method=method,
        most_undefined=most_undefined,
    )


def bootstrap_together(
    statistics: Mapping[str, Statistic],
    resamples: Resamples,
    *,
    confidence: float = 0.95,
    method: Method = "bca",
    most_undefined: float = 0.05,
) -> dict[str, Bootstrapped]:
    """The intervals of several statistics, each resample being made once for all of them.

    >>> from functools import partial
    >>> from oncotrail.statistics.uncertainty import metrics
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [0.1, 0.6, 0.3, 0.4, 0.8, 0.9]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(1), number=500)
    >>> both = {"auc": metrics.auc, "brier": metrics.brier}
    >>> found = bootstrap_together({k: partial(v, labels, scores) for k, v in both.items()}, drawn)
    >>> round(found["auc"].value, 3), round(found["brier"].value, 3)
    (0.889, 0.145)
    """
    checked_confidence(confidence)
    one_of(method, get_args(Method), "method")
    rows = resamples.clusters
    whole = {name: float(of(np.ones((1, rows.rows)))[0]) for name, of in statistics.items()}
    drawn = replicates(statistics, resamples)
    defined = {name: of for name, of in statistics.items() if np.isfinite(whole[name])}
    moved = influence(defined, rows) if method == "bca" else {}
    found = {}
    for name, value in whole.items():
        kept = drawn[name][np.isfinite(drawn[name])]
        undefined = resamples.number - kept.size
        ends, said = None, "undefined"
        if np.isfinite(value):
            _refuse_too_few(name, kept.size, resamples.number, confidence, most_undefined)
            ends, said = _read(method, value, kept, moved.get(name, np.empty(0)), confidence)
        found[name] = _result(
            value=value,
            ends=ends,
            kept=kept,
            undefined=undefined,
            rows=rows,
            confidence=confidence,
            method=said,
        )
    return found


def _read(
    method: Method,
    value: float,
    replicated: Floats,
    contributions: Floats,
    confidence: float,
) -> tuple[Interval | None, str]:
    if np.ptp(replicated) <= 1e-12 * np.abs(replicated).max():  # equal but for rounding
        return None, f"{method}: the resamples do not differ"
    if method == "percentile":
        return percentile_ends(replicated, confidence), method
    if method == "basic":
        return basic_ends(value, replicated, confidence), method
    ends = bca_ends(value, replicated, contributions, confidence)
    return ends, "BCa" if ends else "BCa: undefined, use percentile"


def _result(
    *,
    value: float,
    ends: Interval | None,
    kept: Floats,
    undefined: int,
    rows: Clusters,
    confidence: float,
    method: str,
) -> Bootstrapped:
    there = np.isfinite(value)
    return Bootstrapped(
        value=value if there else None,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        confidence=confidence,
        standard_error=float(kept.std(ddof=1)) if there else None,
        bias=float(kept.mean()) - value if there else None,
        n=rows.n,
        rows=rows.rows,
        resamples=kept.size + undefined,
        undefined=undefined,
        method=method,
    )


def _refuse_too_few(
    name: str, defined: int, number: int, confidence: float, most_undefined: float
) -> None:
    if number - defined > most_undefined * number:
        raise ValueError(
            f"{name}: undefined in {number - defined} of {number} resamples; expected at most a "
            f"share of {most_undefined:g}. Stratify by outcome, or permit more by `most_undefined`."
        )
    needed = int(np.ceil(2 / (1 - confidence) - 1 - 1e-9))
    if defined < needed:
        raise ValueError(
            f"{name}: found {defined} resamples; an interval of confidence {confidence:g} needs "
            f"at least {needed}, and 2000 are usual."
        )
