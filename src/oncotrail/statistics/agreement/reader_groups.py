"""Groups of readers, such as residents and consultants, and a model beside each group.

A group's operating point is the mean of its readers' sensitivities and the mean of their
specificities. As everybody reads every patient, it is also the pooled point, that of all readings
together. For a patient, take the share of the group that called positive; its mean over patients
with the outcome is the sensitivity, and its spread over patients gives the interval (percent.py):
readings of one patient are never counted as if they were of several.

The model is put at the group's mean specificity (or sensitivity), as in operating_points.py, and
minus each reader it leaves a difference. What these differences say of other cases, and of other
readers of that seniority, is the mean over readers of readers_mean.py (Obuchowski and Rockette,
Communications in Statistics - Simulation and Computation 1995, 24:285; Hillis, Statistics in
Medicine 2007, 26:596).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.agreement.operating_points import Point, reader_points
from oncotrail.statistics.agreement.percent import mean_share
from oncotrail.statistics.agreement.ratings import calls_of_readers
from oncotrail.statistics.agreement.readers_mean import ReadersMean, Sampling, mean_over_readers
from oncotrail.statistics.arrays import Flags, Floats, Scored, Undefined, two_classes
from oncotrail.statistics.arrays import groups as numbered
from oncotrail.statistics.classification.rules import (
    threshold_at_sensitivity,
    threshold_at_specificity,
)


@dataclass(frozen=True)
class ReaderGroup:
    """A group's mean operating point; `events` of its figures count as in a single reader's."""

    group: Any
    point: Point
    readers: int


@dataclass(frozen=True)
class ModelAgainstGroup:
    """The model minus the group: in sensitivity at its specificity, and the other way round.

    Above 0 the model is better. `model_at_specificity` is the model's whole point at
    `threshold_at_specificity`, and so for sensitivity.
    """

    group: Any
    point: Point
    threshold_at_specificity: float
    model_at_specificity: Point
    sensitivity_difference: ReadersMean
    threshold_at_sensitivity: float
    model_at_sensitivity: Point
    specificity_difference: ReadersMean
    readers: int


def reader_groups(
    labels: ArrayLike, calls: ArrayLike, groups: ArrayLike, confidence: float = 0.95
) -> tuple[ReaderGroup, ...]:
    """Each group's mean operating point; `groups` names the group of each column of `calls`.

    Calls are patients x readers, 0 or 1; both outcomes must occur. Groups come sorted.

    >>> calls = [[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    >>> found = reader_groups([1, 1, 0, 0], calls, ["senior", "senior", "junior"])
    >>> [(one.group, one.point.sensitivity.value) for one in found]
    [('junior', 0.0), ('senior', 0.75)]
    """
    outcome = two_classes(labels, np.zeros(np.size(labels))).labels
    said = calls_of_readers(calls, outcome.size)
    return tuple(
        ReaderGroup(name, _mean_point(outcome, said[:, own], confidence), int(own.sum()))
        for name, own in _members(groups, said.shape[1])
    )


def model_against_groups(
    labels: ArrayLike,
    scores: ArrayLike,
    calls: ArrayLike,
    groups: ArrayLike,
    *,
    sampling: Sampling = "cases",
    confidence: float = 0.95,
) -> tuple[ModelAgainstGroup, ...]:
    """The model at each group's mean operating point.

    `sampling="cases"` speaks of these readers; "readers and cases" of others of that seniority too,
    and needs at least 2 readers in each group.

    >>> calls = [[1, 1], [1, 0], [0, 0], [0, 0], [1, 0]]
    >>> scores = [0.9, 0.8, 0.7, 0.1, 0.2]
    >>> found = model_against_groups([1, 1, 1, 0, 0], scores, calls, ["a", "a"])[0]
    >>> round(found.threshold_at_specificity, 4), round(found.sensitivity_difference.value, 4)
    (0.45, 0.5)
    """
    patients = two_classes(labels, scores)
    said = calls_of_readers(calls, patients.n)
    return tuple(
        _against(patients, name, said[:, own], sampling, confidence)
        for name, own in _members(groups, said.shape[1])
    )


def _against(
    patients: Scored, name: Any, said: Floats, sampling: Sampling, confidence: float
) -> ModelAgainstGroup:
    labels, scores = patients.labels, patients.scores
    positive, negative = said[labels], said[~labels]
    strict = threshold_at_specificity(labels, scores, 1 - float(negative.mean()))
    wide = threshold_at_sensitivity(labels, scores, float(positive.mean()))
    called, passed = scores >= strict, scores < wide
    gain = called[labels, None] - positive
    spared = passed[~labels, None] - (1 - negative)
    return ModelAgainstGroup(
        group=name,
        point=_mean_point(labels, said, confidence),
        threshold_at_specificity=strict,
        model_at_specificity=reader_points(labels, called, confidence)[0],
        sensitivity_difference=_difference(gain, sampling, confidence),
        threshold_at_sensitivity=wide,
        model_at_sensitivity=reader_points(labels, ~passed, confidence)[0],
        specificity_difference=_difference(spared, sampling, confidence),
        readers=said.shape[1],
    )


def _members(groups: ArrayLike, readers: int) -> list[tuple[Any, Flags]]:
    codes = numbered(groups, readers)
    names = np.unique(np.asarray(groups)).tolist()
    return [(name, codes == code) for code, name in enumerate(names)]


def _mean_point(outcome: Flags, said: Floats, confidence: float) -> Point:
    share, positive = said.mean(axis=1), int(outcome.sum())
    return Point(
        mean_share(share[outcome], positive, confidence),
        mean_share(1 - share[~outcome], 0, confidence),
    )


def _difference(apart: Floats, sampling: Sampling, confidence: float) -> ReadersMean:
    """Patients x readers of model minus reader; the patients say how the readers' means covary."""
    patients, readers = apart.shape
    if patients < 2:
        raise Undefined(
            "found 1 patient of one outcome; a difference needs at least 2 of each outcome."
        )
    covariance = np.cov(apart, rowvar=False).reshape(readers, readers) / patients
    return mean_over_readers(apart.mean(axis=0), covariance, sampling, confidence, (-1.0, 1.0))
