"""From images to patients: one score for each patient, made of the scores of its images.

Four rules. Which one is right depends on what an image shows, and it is chosen before the test set
is looked at:

mean      every image shows the same disease: averages out noise
median    the same, and a single spoilt image does not matter
maximum   one suspicious image suffices; grows with the number of images, so patients with more
          images score higher without being more ill
noisy_or  1 - prod(1 - p): the chance that at least one of the images is positive if each were an
          independent cause (Pearl, Probabilistic Reasoning in Intelligent Systems 1988, section
          4.3); images of one patient are not independent, so it is not calibrated
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Flags, Floats, Integers, column, groups, one_of, scored
from oncotrail.statistics.results import result
from oncotrail.statistics.uncertainty.resampling import constant_within

Rule = Literal["mean", "median", "maximum", "noisy_or"]


@result
class Pooled:
    """One row for each patient, in sorted order of the ids; `images` is how many were pooled."""

    patients: NDArray[Any]
    labels: Flags
    scores: Floats
    images: Integers


def pool(patients: ArrayLike, labels: ArrayLike, scores: ArrayLike, rule: Rule = "mean") -> Pooled:
    """Pool the images' scores by patient.

    All images of a patient must carry the same label. Noisy-or needs probabilities; the other rules
    take any finite scores.

    >>> pool(["b", "a", "b"], [1, 0, 1], [0.5, 0.1, 0.8], "noisy_or").scores.round(4).tolist()
    [0.1, 0.9]
    """
    one_of(rule, get_args(Rule), "rule")
    rows = scored(labels, scores)
    patient = groups(patients, rows.n, name="patients")
    outcome = constant_within(patients, rows.labels.astype(int), "labels")
    values = _column_for(rule, rows.scores)
    order = np.lexsort((values, patient))
    images = np.bincount(patient)
    starts = images.cumsum() - images
    return Pooled(
        patients=np.unique(np.asarray(patients)),
        labels=outcome.astype(bool),
        scores=_RULES[rule](values[order], starts, images),
        images=images,
    )


def _column_for(rule: Rule, scores: Floats) -> Floats:
    return column(scores, "scores", low=0, high=1) if rule == "noisy_or" else scores


# Each takes the values in order of patient and size, where patients start, and their images.


def _mean(values: Floats, starts: Integers, images: Integers) -> Floats:
    return np.asarray(np.add.reduceat(values, starts) / images)


def _median(values: Floats, starts: Integers, images: Integers) -> Floats:
    return np.asarray((values[starts + (images - 1) // 2] + values[starts + images // 2]) / 2)


def _maximum(values: Floats, starts: Integers, images: Integers) -> Floats:
    return np.asarray(values[starts + images - 1])


def _noisy_or(values: Floats, starts: Integers, images: Integers) -> Floats:  # noqa: ARG001 - a rule
    # Through logarithms: 1 - (1 - p) loses a p below 1e-16. The logarithm of 0 is meant.
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(np.add.reduceat(np.log1p(-values), starts)))


_RULES: dict[str, Callable[[Floats, Integers, Integers], Floats]] = {
    "mean": _mean,
    "median": _median,
    "maximum": _maximum,
    "noisy_or": _noisy_or,
}
