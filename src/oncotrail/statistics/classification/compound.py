"""Figures made of more than one proportion, each with an interval that is not a proportion's own.

*Balanced accuracy*, the mean of sensitivity and specificity: these come from different patients, so
the distances from each to the ends of its own interval add up as squares (MOVER: Zou and Donner,
Statistics in Medicine 2008, 27:1693).

*F1* is 2 p / (1 + p), with p the share of true positives among all patients who were called
or should have been. Given their number, p is a proportion, so its interval, taken through the same
rising function, is F1's.

*Matthews' correlation* is the phi coefficient of called and happened. Its variance is that of four
multinomial counts by the delta method (Bishop, Fienberg and Holland, Discrete Multivariate Analysis
1975, section 11.3), on Fisher's scale atanh, where it stays within -1 and 1.

*Likelihood ratios*, sensitivity / (1 - specificity) and (1 - sensitivity) / specificity: normal for
the logarithm (Simel, Samsa and Matchar, Journal of Clinical Epidemiology 1991, 44:763).

Where the last two have no spread to offer (nobody, or everybody, called wrongly; a ratio of 0), the
interval is computed with 1/2 added to each of the four counts, and widened to hold the figure;
`method` says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from oncotrail.statistics.classification.confusion import Confusion
from oncotrail.statistics.intervals import (
    Estimate,
    Interval,
    ProportionMethod,
    normal_quantile,
    proportion,
)

Counts = tuple[float, float, float, float]  # true and false positives, true and false negatives


def balanced_accuracy(
    counts: Confusion, confidence: float = 0.95, method: ProportionMethod = "wilson"
) -> Estimate | None:
    """Mean of sensitivity and specificity, 0 to 1; 0.5 is chance. None without either outcome.

    >>> round(balanced_accuracy(Confusion(8, 4, 16, 2)).value, 3)
    0.8
    """
    events, others = counts.events, counts.non_events
    sensitivity = proportion(counts.true_positive, events, events, confidence, method)
    specificity = proportion(counts.true_negative, others, 0, confidence, method)
    if sensitivity is None or specificity is None:
        return None
    value = (sensitivity.value + specificity.value) / 2
    parts = sensitivity, specificity
    below = math.hypot(*(part.value - part.low for part in parts)) / 2
    above = math.hypot(*(part.high - part.value for part in parts)) / 2
    ends = max(0.0, value - below), min(1.0, value + above)
    return Estimate(value, *ends, confidence, counts.n, events, f"MOVER, {sensitivity.method}")


def f1_score(
    counts: Confusion, confidence: float = 0.95, method: ProportionMethod = "wilson"
) -> Estimate | None:
    """Harmonic mean of sensitivity and positive predictive value, 0 to 1; higher is better.

    None where nobody was called positive and nobody had the outcome. `n` is the number of patients
    who were called positive or had the outcome; true negatives do not count.

    >>> round(f1_score(Confusion(8, 4, 16, 2)).value, 4)
    0.7273
    """
    involved = counts.n - counts.true_negative
    shared = proportion(counts.true_positive, involved, counts.events, confidence, method)
    if shared is None:
        return None
    value, low, high = (2 * p / (1 + p) for p in (shared.value, shared.low, shared.high))
    return Estimate(value, low, high, confidence, involved, counts.events, shared.method)


def matthews_correlation(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """Correlation of called and happened, -1 to 1; 0 is chance, higher is better.

    None where everybody or nobody was called positive, or had the outcome.

    >>> round(matthews_correlation(Confusion(8, 4, 16, 2)).value, 4)
    0.5774
    """
    cells = _cells(counts)
    if 0 in _margins(cells):
        return None
    value = _phi(cells)
    wrong = counts.false_positive + counts.false_negative
    return _estimate(counts, value, confidence, _fisher, plain=0 < wrong < counts.n)


def positive_likelihood_ratio(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """How many times as often patients with the outcome are called; above 1, higher is better.

    None without either outcome, and without false positives: the ratio is then infinite, or 0 / 0.

    >>> round(positive_likelihood_ratio(Confusion(8, 4, 16, 2)).value, 6)
    4.0
    """
    cells = _cells(counts)
    if counts.events == 0 or counts.false_positive == 0:
        return None
    spread = counts.true_positive > 0 and counts.false_negative + counts.true_negative > 0
    return _estimate(counts, _ratio(cells), confidence, _simel, plain=spread)


def negative_likelihood_ratio(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """How many times as often patients with the outcome are *not* called; below 1, lower is better.

    None without either outcome, and without true negatives.

    >>> round(negative_likelihood_ratio(Confusion(8, 4, 16, 2)).value, 6)
    0.25
    """
    # The same ratio, of those not called.
    swapped = Confusion(
        true_positive=counts.false_negative,
        false_positive=counts.true_negative,
        true_negative=counts.false_positive,
        false_negative=counts.true_positive,
    )
    return positive_likelihood_ratio(swapped, confidence)


def _estimate(
    counts: Confusion,
    value: float,
    confidence: float,
    interval: Callable[[Counts, float], tuple[Interval, str]],
    *,
    plain: bool,
) -> Estimate:
    cells = _cells(counts)
    if plain:
        ends, method = interval(cells, normal_quantile(confidence))
        return Estimate(value, ends.low, ends.high, confidence, counts.n, counts.events, method)
    tp, fp, tn, fn = (cell + 0.5 for cell in cells)
    ends, method = interval((tp, fp, tn, fn), normal_quantile(confidence))
    low, high = min(value, ends.low), max(value, ends.high)
    return Estimate(value, low, high, confidence, counts.n, counts.events, f"{method}, 1/2 added")


def _cells(counts: Confusion) -> Counts:
    return (
        counts.true_positive,
        counts.false_positive,
        counts.true_negative,
        counts.false_negative,
    )


def _margins(cells: Counts) -> tuple[float, float, float, float]:
    """Called, not called, happened, did not."""
    tp, fp, tn, fn = cells
    return tp + fp, tn + fn, tp + fn, tn + fp


def _phi(cells: Counts) -> float:
    tp, fp, tn, fn = cells
    called, spared, happened, free = _margins(cells)
    # Two roots, since the product of four margins of large cohorts exceeds what floats tell apart.
    return (tp * tn - fp * fn) / (math.sqrt(called * spared) * math.sqrt(happened * free))


def _fisher(cells: Counts, z: float) -> tuple[Interval, str]:
    phi = _phi(cells)
    called, spared, happened, free = _margins(cells)
    rows, columns = called * spared, happened * free
    skew = (called - spared) * (happened - free) / math.sqrt(rows) / math.sqrt(columns)
    uneven = (called - spared) ** 2 / rows + (happened - free) ** 2 / columns
    variance = 1 - phi**2 + phi * (1 + phi**2 / 2) * skew - 0.75 * phi**2 * uneven
    half = z * math.sqrt(max(0.0, variance) / sum(cells)) / (1 - phi**2)
    return Interval(math.tanh(math.atanh(phi) - half), math.tanh(math.atanh(phi) + half)), "Fisher"


def _ratio(cells: Counts) -> float:
    tp, fp, tn, fn = cells
    return (tp / (tp + fn)) / (fp / (fp + tn))


def _simel(cells: Counts, z: float) -> tuple[Interval, str]:
    tp, fp, tn, fn = cells
    half = z * math.sqrt(1 / tp - 1 / (tp + fn) + 1 / fp - 1 / (fp + tn))
    centre = math.log(_ratio(cells))
    return Interval(math.exp(centre - half), math.exp(centre + half)), "Simel, log"
