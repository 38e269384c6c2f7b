"""Precision against recall over all thresholds: what a call is worth where the outcome is rare.

At each distinct score everybody of that score or above is called. *Recall* is the share of patients
with the outcome who are called, *precision* the share of those called who have it. A marker without
any use has the precision of the prevalence everywhere: that is the baseline, not 0.5.

*Average precision* adds up precision times the gain in recall, step by step. Straight lines between
the points would be too good: precision is not linear in recall (Davis and Goadrich, ICML 2006).

Its interval is normal for the logit of the average precision, with variance
1 / (events AP (1 - AP)) (Boyd, Eng and Page, ECML 2013, 8190:451): the number of patients with the
outcome is what counts. Or it is of percentiles of resampled patients, for patients with several
rows, and where there are few events.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.discrimination.placements import placements
from oncotrail.statistics.discrimination.resampled_steps import on_steps
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.intervals import Estimate, Interval, normal_quantile, wilson
from oncotrail.statistics.results import result
from oncotrail.statistics.uncertainty.bootstrap import bootstrap
from oncotrail.statistics.uncertainty.resampling import Resamples


@result
class PrecisionRecallCurve:
    """One point per distinct score, the highest first; called positive at `score >= threshold`.

    There is no point where nobody is called: precision is undefined there. `baseline` is the
    prevalence, the precision of calling everybody.
    """

    recall: Floats
    precision: Floats
    thresholds: Floats
    baseline: float


def precision_recall_curve(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> PrecisionRecallCurve:
    """The curve, with every distinct score a point.

    >>> curve = precision_recall_curve([0, 1, 1], [0.1, 0.4, 0.8])
    >>> curve.precision.round(3).tolist(), curve.recall.tolist()
    ([1.0, 1.0, 0.667], [0.5, 1.0, 1.0])
    """
    counted = steps(labels, scores, weights)
    precision = _precision(counted)
    return PrecisionRecallCurve(
        recall=counted.sensitivity[1:],
        precision=precision,
        thresholds=counted.scores,
        baseline=float(precision[-1]),
    )


def average_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
    resamples: Resamples | None = None,
) -> Estimate:
    """Area under the precision-recall curve, by steps; higher is better, the prevalence is chance.

    Tied scores are one step. The interval is Boyd's on the logit scale, and at an average precision
    of 1, where that has no width, Wilson's for as many patients with the outcome; with sampling
    `weights` both count the effective number of these patients (Kish). With `resamples`, drawn by
    the patients of the rows, it is of percentiles, unless the resamples do not differ; `n` and
    `events` then count patients, not rows.

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.8333
    """
    whose = None if resamples is None else resamples.clusters.patient
    placed = placements(labels, scores, weights, whose)
    value = _average(steps(labels, scores, weights))
    ends, method = _interval(value, placed.positive.effective, confidence)
    if resamples is not None:
        drawn = on_steps(labels, scores, _average, weights)
        found = bootstrap(drawn, resamples, confidence=confidence, method="percentile")
        if found.low is not None and found.high is not None:
            ends, method = Interval(found.low, found.high), f"bootstrap, {resamples.number}"
    return Estimate(value, ends.low, ends.high, confidence, placed.n, placed.positive.n, method)


def _precision(counted: Steps) -> Floats:
    called = np.cumsum(counted.positives + counted.negatives)
    # A resample may lack the highest scores: nobody is called yet, and no recall is gained.
    return np.divide(
        np.cumsum(counted.positives), called, out=np.ones(called.size), where=called > 0
    )


def _average(counted: Steps) -> float:
    gain = counted.positives / counted.positives.sum()
    return min(1.0, float(gain @ _precision(counted)))


def _interval(value: float, events: float, confidence: float) -> tuple[Interval, str]:
    if 1 - value < 1e-12:
        return wilson(events, events, confidence), "Wilson"
    half = normal_quantile(confidence) / math.sqrt(events * value * (1 - value))
    centre = float(logit(value))
    return Interval(float(expit(centre - half)), float(expit(centre + half))), "Boyd, logit"
