"""The patient-level bootstrap of any statistic: how much a figure moves with other patients.

Patients are drawn with replacement, each with all of its images (`resampling`); the statistic is
computed on every resample (`replication`), and the interval is read off the spread of these
replicates (`endpoints`): percentile, basic, or BCa, which corrects for bias and skewness and is the
default (Efron, JASA 1987, 82:171). The acceleration of BCa comes from leaving out patients, never
images.

Undefined replicates are counted and reported, and there is no interval where they are many: the
rest would tell of the lucky resamples only. Of several figures the others keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from oncotrail.statistics.arrays import Floats, Undefined, checked_confidence, one_of
from oncotrail.statistics.intervals import Interval
from oncotrail.statistics.uncertainty.endpoints import (
    basic_ends,
    bca_ends,
    defined_replicates,
    percentile_ends,
)
from oncotrail.statistics.uncertainty.replication import Statistic, influence, replicates
from oncotrail.statistics.uncertainty.resampling import Resamples

Method = Literal["percentile", "basic", "bca"]


@dataclass(frozen=True)
class Bootstrapped:
    """A figure with its bootstrap interval.

    `value` is None where the figure is undefined on these patients. `low` and `high` are None also
    where the replicates do not differ (a perfect or a constant marker), for they would claim
    certainty, and where too many replicates are undefined, as then `standard_error` (the standard
    deviation of the replicates) and `bias` (their mean less the value). `method` says which it is.
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

    There is none where more than a share of `most_undefined` replicates are undefined; stratifying
    by outcome often prevents them.

    >>> from functools import partial
    >>> from oncotrail.statistics.uncertainty.threshold_metrics import accuracy
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
    moved = influence(defined, rows) if method == "bca" else dict.fromkeys(defined, np.empty(0))
    found = {}
    for name, value in whole.items():
        found[name] = _blank(drawn[name], resamples, confidence)
        if name in defined:
            of_patients = moved[name]
            found[name] = _read(
                found[name], value, drawn[name], of_patients, method=method, most=most_undefined
            )
    return found


def _blank(replicated: Floats, resamples: Resamples, confidence: float) -> Bootstrapped:
    """What there is to say of a figure that is undefined on these patients."""
    return Bootstrapped(
        value=None,
        low=None,
        high=None,
        confidence=confidence,
        standard_error=None,
        bias=None,
        n=resamples.clusters.n,
        rows=resamples.clusters.rows,
        resamples=replicated.size,
        undefined=int((~np.isfinite(replicated)).sum()),
        method="undefined",
    )


def _read(
    blank: Bootstrapped,
    value: float,
    replicated: Floats,
    of_patients: Floats,
    *,
    method: Method,
    most: float,
) -> Bootstrapped:
    try:
        kept = defined_replicates(replicated, blank.confidence, most)
    except Undefined as why:
        return replace(blank, value=value, method=f"{method}: {why}")
    ends, said = _ends(method, value, kept, of_patients, blank.confidence)
    return replace(
        blank,
        value=value,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        standard_error=float(kept.std(ddof=1)),
        bias=float(kept.mean()) - value,
        method=said,
    )


def _ends(
    method: Method, value: float, kept: Floats, of_patients: Floats, confidence: float
) -> tuple[Interval | None, str]:
    if np.ptp(kept) <= 1e-12 * np.abs(kept).max():  # equal but for rounding
        return None, f"{method}: the resamples do not differ"
    if method == "percentile":
        return percentile_ends(kept, confidence), method
    if method == "basic":
        return basic_ends(value, kept, confidence), method
    ends = bca_ends(value, kept, of_patients, confidence)
    return ends, "BCa" if ends else "BCa: undefined, use percentile"
