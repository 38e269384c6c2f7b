"""What decision curves hold, whatever the outcome, and what they are asked for.

A patient is treated where the predicted risk is at or above a threshold t. Somebody who treats at
t holds one needless treatment for t / (1 - t) times as bad as a missed event (Vickers and Elkin,
Medical Decision Making 2006, 26:565). So at 0 a treatment costs nothing and everybody is treated,
and at 1 no benefit could make up for it, which is why thresholds end below 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column
from oncotrail.statistics.intervals import Difference


@dataclass(frozen=True)
class Benefit:
    """A figure and its interval, normal and pointwise, cut where no figure can be.

    Error and interval are None where no spread shows, such as where nobody is treated.
    """

    value: float
    low: float | None
    high: float | None
    standard_error: float | None


@dataclass(frozen=True)
class DecisionPoint:
    """What treating at one threshold is worth; higher is better.

    `net_benefit` is in true positives per patient, at most the prevalence; `standardised` is its
    share of that maximum (None where the prevalence is 0). `interventions_avoided` is how many
    patients, per patient, are spared treatment without missing an event, against treating everybody
    (None at a threshold of 0, where a treatment costs nothing). `treated` is the share of patients
    at or above the threshold, in a population of the prevalence that is given, if one is. All but
    `treated` are None where the risk of those treated is unknown, which only follow-up that ends
    too soon can do.
    """

    threshold: float
    treated: float
    net_benefit: Benefit | None
    standardised: Benefit | None
    interventions_avoided: Benefit | None


@dataclass(frozen=True)
class DecisionCurves:
    """Several models on one axis, with the two strategies that need no model.

    `models` holds a point for each of `thresholds`, by name. `n` and `events` count rows of weight
    above 0; `prevalence` is that of the outcome, given or estimated.
    """

    thresholds: tuple[float, ...]
    models: Mapping[str, tuple[DecisionPoint, ...]]
    treat_all: tuple[DecisionPoint, ...]
    treat_none: tuple[DecisionPoint, ...]
    prevalence: float
    confidence: float
    n: int
    events: int


@dataclass(frozen=True)
class BenefitDifference:
    """The first model's net benefit minus the second's at a threshold, of the same patients.

    `difference` is None where either is unknown.
    """

    threshold: float
    difference: Difference | None


def checked_thresholds(thresholds: ArrayLike) -> Floats:
    """Thresholds of risk, from 0 to just below 1.

    >>> checked_thresholds([0.1, 0.2]).tolist()
    [0.1, 0.2]
    """
    found = column(np.atleast_1d(np.asarray(thresholds)), "thresholds", low=0)
    if (found >= 1).any():
        row = int(np.argmax(found >= 1))
        raise ValueError(
            f"thresholds: found {found[row]} in row {row}; expected risks from 0 to below 1."
        )
    return found


def named_risks(models: Mapping[str, ArrayLike], n: int) -> dict[str, Floats]:
    """Each model's predicted risks, checked: 0 to 1, one for each of `n` rows.

    >>> {name: risk.tolist() for name, risk in named_risks({"clinical": [0.1, 0.4]}, 2).items()}
    {'clinical': [0.1, 0.4]}
    """
    if not models:
        raise ValueError("found no models; expected at least one, by name.")
    return {
        name: column(risks, f"risks of {name}", n=n, low=0, high=1)
        for name, risks in models.items()
    }
