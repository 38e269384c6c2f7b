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

Of patients with sampling weights, the counts are shares of weight times the effective number of
patients: of all, and for likelihood ratios of each outcome by itself.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace

from oncotrail.statistics.classification.confusion import (
    EVERYBODY,
    HAPPENED,
    SPARED,
    Cells,
    Confusion,
    Counts,
    Sums,
)
from oncotrail.statistics.intervals import Estimate, Interval, ProportionMethod, normal_quantile

INVOLVED: Cells = ("true_positive", "false_positive", "false_negative")
NOT_CALLED: Cells = ("false_negative", "true_negative", "false_positive", "true_positive")

_LARGEST = math.log(sys.float_info.max)


def balanced_accuracy(
    counts: Confusion, confidence: float = 0.95, method: ProportionMethod = "wilson"
) -> Estimate | None:
    """Mean of sensitivity and specificity, 0 to 1; 0.5 is chance. None without either outcome.

    >>> round(balanced_accuracy(Confusion(8, 4, 16, 2)).value, 3)
    0.8
    """
    sensitivity = counts.share(("true_positive",), HAPPENED, confidence, method)
    specificity = counts.share(("true_negative",), SPARED, confidence, method)
    if sensitivity is None or specificity is None:
        return None
    value = (sensitivity.value + specificity.value) / 2
    parts = sensitivity, specificity
    below = math.hypot(*(part.value - part.low for part in parts)) / 2
    above = math.hypot(*(part.high - part.value for part in parts)) / 2
    ends = max(0.0, value - below), min(1.0, value + above)
    method_of_parts = f"MOVER, {sensitivity.method}"
    return Estimate(value, *ends, confidence, counts.n, counts.events, method_of_parts)


def f1_score(
    counts: Confusion, confidence: float = 0.95, method: ProportionMethod = "wilson"
) -> Estimate | None:
    """Harmonic mean of sensitivity and positive predictive value, 0 to 1; higher is better.

    None where nobody was called positive and nobody had the outcome. `n` is the number of patients
    who were called positive or had the outcome; true negatives do not count.

    >>> round(f1_score(Confusion(8, 4, 16, 2)).value, 4)
    0.7273
    """
    shared = counts.share(("true_positive",), INVOLVED, confidence, method)
    if shared is None:
        return None
    value, low, high = (2 * p / (1 + p) for p in (shared.value, shared.low, shared.high))
    return replace(shared, value=value, low=low, high=high)


def matthews_correlation(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """Correlation of called and happened, -1 to 1; 0 is chance, higher is better.

    None where everybody or nobody was called positive, or had the outcome.

    >>> round(matthews_correlation(Confusion(8, 4, 16, 2)).value, 4)
    0.5774
    """
    cells = _ordered(counts.effective(EVERYBODY), EVERYBODY)
    if 0 in _margins(cells):
        return None
    wrong = counts.false_positive + counts.false_negative
    spread = 0 < wrong < counts.n
    return _estimate(counts, cells, _phi(cells), _fisher, confidence, spread=spread)


def positive_likelihood_ratio(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """How many times as often patients with the outcome are called; above 1, higher is better.

    None without either outcome, and without false positives: the ratio is then infinite, or 0 / 0.

    >>> round(positive_likelihood_ratio(Confusion(8, 4, 16, 2)).value, 6)
    4.0
    """
    return _likelihood_ratio(counts, EVERYBODY, confidence)


def negative_likelihood_ratio(counts: Confusion, confidence: float = 0.95) -> Estimate | None:
    """How many times as often patients with the outcome are *not* called; below 1, lower is better.

    None without either outcome, and without true negatives.

    >>> round(negative_likelihood_ratio(Confusion(8, 4, 16, 2)).value, 6)
    0.25
    """
    # The same ratio, where those not called stand in the place of those called.
    return _likelihood_ratio(counts, NOT_CALLED, confidence)


def _likelihood_ratio(counts: Confusion, order: Cells, confidence: float) -> Estimate | None:
    """`order`: with the outcome and called, without and called, without and not, with and not."""
    cells = _ordered(counts.effective(HAPPENED) | counts.effective(SPARED), order)
    right, wrong, spared, missed = cells
    if right + missed == 0 or wrong == 0:
        return None
    spread = right > 0 and missed + spared > 0
    return _estimate(counts, cells, _ratio(cells), _simel, confidence, spread=spread)


def _estimate(
    counts: Confusion,
    cells: Counts,
    value: float,
    interval: Callable[[Counts, float], tuple[Interval, str]],
    confidence: float,
    *,
    spread: bool,
) -> Estimate:
    ends, method = interval(cells if spread else _half_added(cells), normal_quantile(confidence))
    if not spread:
        ends = Interval(min(value, ends.low), max(value, ends.high))
        method = f"{method}, 1/2 added"
    return Estimate(value, ends.low, ends.high, confidence, counts.n, counts.events, method)


def _ordered(effective: Sums, order: Cells) -> Counts:
    first, second, third, fourth = (effective[cell] for cell in order)
    return first, second, third, fourth


def _half_added(cells: Counts) -> Counts:
    first, second, third, fourth = cells
    return first + 0.5, second + 0.5, third + 0.5, fourth + 0.5


def _margins(cells: Counts) -> Counts:
    """Called, not called, happened, did not."""
    tp, fp, tn, fn = cells
    return tp + fp, tn + fn, tp + fn, tn + fp


def _phi(cells: Counts) -> float:
    tp, fp, tn, fn = cells
    called, spared, happened, free = _margins(cells)
    # Two roots, since the product of four margins of large cohorts exceeds what floats tell apart.
    found = (tp * tn - fp * fn) / (math.sqrt(called * spared) * math.sqrt(happened * free))
    return max(-1.0, min(1.0, found))


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
    # Weights of very unequal sizes leave less than a patient: the upper end may then be infinite.
    high = math.exp(centre + half) if centre + half < _LARGEST else math.inf
    return Interval(math.exp(centre - half), high), "Simel, log"
