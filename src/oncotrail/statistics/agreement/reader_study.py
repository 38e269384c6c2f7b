"""Several readers, the same cases, two or more modalities: the areas and how the cases tie them.

Every reader's area under the ROC curve with every modality comes from the same patients, so the
areas are correlated. Give each patient its placements (one for each area: the share of the other
outcome's patients that score on the right side of it); an area is the mean placement of either
outcome. Leaving one patient out changes it by that patient's placement only, so the jackknife's
covariance of all areas takes one pass (Obuchowski and Rockette, Communications in Statistics -
Simulation and Computation 1995, 24:285), as DeLong's does (Biometrics 1988, 44:837).

`compare_modalities` in modalities.py tests with them.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.agreement.ratings import score_table
from oncotrail.statistics.arrays import Flags, Floats, Undefined, binary, one_of
from oncotrail.statistics.discrimination.placements import placements
from oncotrail.statistics.results import result

Covariance = Literal["jackknife", "DeLong"]


@result
class ReaderStudy:
    """Areas under the curve, modalities x readers, and what the cases say of their covariance.

    `covariance` has a row and a column for each area, readers within modalities.
    """

    areas: Floats
    covariance: Floats
    n: int
    events: int
    method: str


def reader_study(
    labels: ArrayLike, scores: ArrayLike, *, covariance: Covariance = "jackknife"
) -> ReaderStudy:
    """Areas and their covariance from scores of modalities x patients x readers.

    Higher scores are likelier to have the outcome; ties count one half. Every reader reads every
    patient with every modality. Needs 2 patients with and 2 without the outcome.

    >>> found = reader_study([0, 0, 1, 1], [[[1, 2], [3, 1], [3, 3], [4, 2]]])
    >>> found.areas.tolist()
    [[0.875, 0.875]]
    """
    one_of(covariance, get_args(Covariance), "covariance")
    outcome = binary(labels, "labels")
    events = int(outcome.sum())
    if min(events, outcome.size - events) < 2:
        raise Undefined(
            f"found {events} events in {outcome.size} patients; "
            "a reader study needs at least 2 patients of each outcome."
        )
    table = score_table(scores, outcome.size)
    shape = (table.shape[0], table.shape[2])
    positive, negative = _placements(outcome, table.transpose(1, 0, 2).reshape(outcome.size, -1))
    areas = positive.mean(axis=0)
    spread = _jackknife if covariance == "jackknife" else _delong
    return ReaderStudy(
        areas.reshape(shape), spread(positive, negative, areas), outcome.size, events, covariance
    )


def _placements(outcome: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Each positive's share of negatives below it, each negative's share of positives above."""
    columns = [placements(outcome, column) for column in scores.T]
    positive = np.column_stack([one.positive.placements for one in columns])
    return positive, np.column_stack([one.negative.placements for one in columns])


def _jackknife(positive: Floats, negative: Floats, areas: Floats) -> Floats:
    """(N - 1) / N times the cross products of the areas with one patient left out.

    Without a positive, the area is the mean of the other placements, and so for a negative.
    """
    n = len(positive) + len(negative)
    without = np.concatenate(
        [
            (areas - group / len(group)) * len(group) / (len(group) - 1)
            for group in (positive, negative)
        ]
    )
    apart = without - without.mean(axis=0)
    return np.asarray(apart.T @ apart * ((n - 1) / n))


def _delong(positive: Floats, negative: Floats, areas: Floats) -> Floats:
    parts = [
        (group - areas).T @ (group - areas) / _pairs(len(group)) for group in (positive, negative)
    ]
    return parts[0] + parts[1]


def _pairs(size: int) -> int:
    return size * (size - 1)
