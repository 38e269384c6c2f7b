"""How often calling patients positive at a threshold is right, figure by figure.

Proportions of counts get Wilson's interval, or the exact one; figures made of several proportions
get what `compound` tells. For images of several per patient, `uncertainty.figures` resamples the
patients.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.classification.compound import (
    balanced_accuracy,
    f1_score,
    matthews_correlation,
    negative_likelihood_ratio,
    positive_likelihood_ratio,
)
from oncotrail.statistics.classification.confusion import (
    EVERYBODY,
    HAPPENED,
    SPARED,
    Cells,
    Confusion,
    confusion,
)
from oncotrail.statistics.intervals import Estimate, ProportionMethod


@dataclass(frozen=True)
class Classification:
    """The figures at one threshold. One without a denominator is None.

    A positive predictive value, for one, is undefined where nobody was called positive. Higher is
    better, but for the negative likelihood ratio, where lower is. `mcc` is Matthews' correlation.
    """

    threshold: float
    confusion: Confusion
    accuracy: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    ppv: Estimate | None
    npv: Estimate | None
    balanced_accuracy: Estimate | None
    f1: Estimate | None
    mcc: Estimate | None
    positive_likelihood_ratio: Estimate | None
    negative_likelihood_ratio: Estimate | None


def classify(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
    *,
    weights: ArrayLike | None = None,
) -> Classification:
    """The figures at `threshold`, a number on the scale of the scores.

    A `Threshold` that was chosen on patients is applied by `thresholds.apply_threshold`, which
    knows on whom. `method` is "wilson" or "exact" (Clopper-Pearson). `weights` are sampling
    weights, at least 0: a patient of weight 0 is not there, and an exact interval is refused.

    >>> found = classify([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], threshold=0.5)
    >>> found.sensitivity.value, found.sensitivity.n
    (0.5, 2)
    """
    return figures_of(confusion(labels, scores, threshold, weights), threshold, confidence, method)


def figures_of(
    counts: Confusion,
    threshold: float,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
) -> Classification:
    """The figures of patients already counted, at the threshold they were called at.

    >>> figures_of(Confusion(8, 4, 16, 2), threshold=0.5).specificity.value
    0.8
    """

    def share(cells: Cells, among: Cells) -> Estimate | None:
        return counts.share(cells, among, confidence, method)

    return Classification(
        threshold=threshold,
        confusion=counts,
        accuracy=share(("true_positive", "true_negative"), EVERYBODY),
        sensitivity=share(("true_positive",), HAPPENED),
        specificity=share(("true_negative",), SPARED),
        ppv=share(("true_positive",), ("true_positive", "false_positive")),
        npv=share(("true_negative",), ("true_negative", "false_negative")),
        balanced_accuracy=balanced_accuracy(counts, confidence, method),
        f1=f1_score(counts, confidence, method),
        mcc=matthews_correlation(counts, confidence),
        positive_likelihood_ratio=positive_likelihood_ratio(counts, confidence),
        negative_likelihood_ratio=negative_likelihood_ratio(counts, confidence),
    )
