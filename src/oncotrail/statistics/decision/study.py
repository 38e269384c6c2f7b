"""From what treating some patients is worth to decision curves, with all their intervals.

A `Study` says what treating some patients is worth, the net benefit, as a figure with each
patient's influence on it. All else follows by arithmetic on such figures. With m the prevalence and
w = t / (1 - t),

    treating everybody      m - w (1 - m)
    standardised            net benefit / m
    interventions avoided   (net benefit - that of treating everybody) / w

and the variance of each is the sum of its squared influences, those of one cluster summed first
(the infinitesimal jackknife, or sandwich). The intervals are normal, and end where the figure does:
nothing is worth more than treating those with the event only, so a net benefit is at most m, and
nothing less than treating all others, -w (1 - m). Where m is estimated, it may be anything from 0
to 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, checked_confidence
from oncotrail.statistics.decision.benefit import (
    Benefit,
    BenefitDifference,
    DecisionCurves,
    DecisionPoint,
    checked_thresholds,
    named_risks,
)
from oncotrail.statistics.influence import Influenced, Influences, with_interval
from oncotrail.statistics.intervals import Difference, normal_difference


def scaled(figure: Influenced, factor: float, shift: float = 0.0) -> Influenced:
    """A figure times `factor`, plus `shift`.

    >>> scaled(Influenced(0.5, np.array([0.1, -0.1])), factor=2, shift=-1).value
    0.0
    """
    return Influenced(figure.value * factor + shift, figure.influence * factor, figure.clusters)


class Study(ABC):
    """Patients whose outcome is known well enough to say what treating some of them is worth.

    `kept` flags, of the rows that came in, those of weight above 0; the rest is of these.
    """

    kept: Flags
    weights: Floats
    influences: Influences
    prevalence: Influenced
    known: bool  # whether the prevalence was given

    @property
    @abstractmethod
    def events(self) -> int:
        """How many rows have the outcome."""

    @abstractmethod
    def share(self, treated: Flags) -> float:
        """The share of patients who are treated."""

    @abstractmethod
    def net_benefit(self, treated: Flags, odds: float) -> Influenced | None:
        """What treating some is worth, where a needless treatment costs `odds`."""

    def curves(
        self, models: Mapping[str, ArrayLike], thresholds: ArrayLike, confidence: float
    ) -> DecisionCurves:
        """The decision curves of each model's risks, of treating everybody, and nobody."""
        at, rows = checked_thresholds(thresholds).tolist(), self.kept.size
        checked_confidence(confidence)

        def curve(risks: Floats) -> tuple[DecisionPoint, ...]:
            return tuple(self._point(risks[self.kept] >= t, t, confidence) for t in at)

        return DecisionCurves(
            thresholds=tuple(at),
            models={name: curve(risks) for name, risks in named_risks(models, rows).items()},
            treat_all=curve(np.ones(rows)),
            treat_none=curve(np.full(rows, -1.0)),  # below every threshold, 0 included
            prevalence=self.prevalence.value,
            confidence=confidence,
            n=self.weights.size,
            events=self.events,
        )

    def differences(
        self, first: ArrayLike, second: ArrayLike, thresholds: ArrayLike, confidence: float
    ) -> tuple[BenefitDifference, ...]:
        """The first risks' net benefit minus the second's, at each threshold."""
        checked_confidence(confidence)
        risks = named_risks({"first": first, "second": second}, self.kept.size)
        one, two = (risk[self.kept] for risk in risks.values())
        return tuple(
            BenefitDifference(t, self._apart(one >= t, two >= t, t / (1 - t), confidence))
            for t in checked_thresholds(thresholds).tolist()
        )

    def _point(self, treated: Flags, t: float, confidence: float) -> DecisionPoint:
        odds, share = t / (1 - t), self.share(treated)
        worth = self.net_benefit(treated, odds)
        if worth is None:
            return DecisionPoint(t, share, None, None, None)
        standardised = avoided = None
        rarest, commonest = self._prevalences()
        least, most = -odds * (1 - rarest), commonest
        if self.prevalence.value:
            lowest = least / rarest if rarest else -np.inf
            standardised = _benefit(worth.over(self.prevalence), confidence, lowest, 1.0)
        if odds:
            everybody = scaled(self.prevalence, 1 + odds, -odds)
            gain = scaled(worth.minus(everybody), 1 / odds)
            avoided = _benefit(gain, confidence, -commonest / odds, 1 - rarest)
        benefit = _benefit(worth, confidence, least, most)
        return DecisionPoint(t, share, benefit, standardised, avoided)

    def _prevalences(self) -> tuple[float, float]:
        """From where to where the prevalence may be."""
        return (self.prevalence.value, self.prevalence.value) if self.known else (0.0, 1.0)

    def _apart(
        self, first: Flags, second: Flags, odds: float, confidence: float
    ) -> Difference | None:
        one, two = (self.net_benefit(treated, odds) for treated in (first, second))
        if one is None or two is None:
            return None
        found = one.minus(two)
        return normal_difference(
            found.value,
            None if found.error is None else found.error**2,
            most=max(m + odds * (1 - m) for m in self._prevalences()),
            confidence=confidence,
            n=self.weights.size,
            events=self.events,
            method="infinitesimal jackknife",
        )


def _benefit(figure: Influenced, confidence: float, lowest: float, highest: float) -> Benefit:
    _, error, low, high = with_interval(figure, confidence, lowest, highest)
    return Benefit(figure.value, low, high, error)
