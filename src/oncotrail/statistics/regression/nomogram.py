"""A fitted model as a sheet of paper: points for each value, their sum, and what the sum means.

Every term contributes f(value) to the linear predictor. Its lowest contribution on its axis gets 0
points, and one factor, the same for all terms, turns what is above that into points: the term with
the widest range gets 0 to 100. Points then add up as contributions do,

    linear predictor = origin + total points / points per unit,

and probability, survival at a time or median survival follow from it. Nothing is rounded:
`points_of` gives what an infinitely sharp pencil would read off the drawing, so it equals the
model's own prediction. (Kattan et al., Journal of Clinical Oncology 1998; as rms::nomogram.)

A spline's lowest and highest contributions may lie between its ends, where it turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Floats, column
from oncotrail.statistics.regression.splines import turning_points
from oncotrail.statistics.regression.terms import Levels, Spline, Term, by_term

GRID = 401
MOST_POINTS = 100.0
Value = float | str


@dataclass(frozen=True)
class Scale:
    """One term's axis: its values in order (a fine grid of numbers, or levels) and their points."""

    term: Term
    axis: tuple[Value, ...]
    coefficients: tuple[float, ...]
    lowest: float  # contribution that gets 0 points
    highest: float
    points_per_unit: float

    def points(self, values: ArrayLike) -> Floats:
        """Points of these values; a number outside the axis is refused, for nobody drew it."""
        if not isinstance(self.term, Levels):
            low, high = float(self.axis[0]), float(self.axis[-1])
            values = column(values, self.term.name, low=low, high=high)
        effect = self.term.columns(values) @ np.array(self.coefficients)
        return np.asarray((effect - self.lowest) * self.points_per_unit)


@dataclass(frozen=True)
class Probability:
    """What a logistic model says: the chance of the outcome; higher is likelier."""

    name: str

    def of(self, linear_predictor: ArrayLike) -> Floats:
        """The probability at a linear predictor, which holds the intercept."""
        return np.asarray(expit(np.asarray(linear_predictor)))

    def linear_predictor(self, probability: ArrayLike) -> Floats:
        """Where a probability stands."""
        return np.asarray(logit(np.asarray(probability, dtype=float)))


@dataclass(frozen=True)
class SurvivalAt:
    """What a Cox model says at one time: the chance of no event until then; higher is better.

    `cumulative_hazard` is the baseline's at that time, where the linear predictor is 0.
    """

    name: str
    cumulative_hazard: float

    def of(self, linear_predictor: ArrayLike) -> Floats:
        """The survival at a linear predictor."""
        return np.asarray(np.exp(-self.cumulative_hazard * np.exp(np.asarray(linear_predictor))))

    def linear_predictor(self, survival: ArrayLike) -> Floats:
        """Where a survival stands."""
        return np.asarray(np.log(-np.log(np.asarray(survival, float)) / self.cumulative_hazard))


@dataclass(frozen=True)
class MedianSurvival:
    """What a Cox model says of time: when half of such patients have had the event.

    The first time at which survival is at most one half; infinite where follow-up ends before.
    """

    name: str
    times: tuple[float, ...]
    cumulative_hazard: tuple[float, ...]  # the baseline's, where the linear predictor is 0

    def of(self, linear_predictor: ArrayLike) -> Floats:
        """The median at a linear predictor."""
        needed = np.log(2) * np.exp(-np.asarray(linear_predictor, dtype=float))
        # As S(t) <= .5: a hazard that equals what is needed but for rounding has reached it.
        place = np.searchsorted(self.cumulative_hazard, needed * (1 - 1e-12), side="left")
        return np.asarray(np.append(self.times, np.inf)[place])

    def linear_predictor(self, median: ArrayLike) -> Floats:
        """The lowest linear predictor with a median at or below this time."""
        place = np.searchsorted(self.times, np.asarray(median, dtype=float), side="right") - 1
        reached = np.where(place < 0, 0.0, np.array(self.cumulative_hazard)[np.maximum(place, 0)])
        with np.errstate(divide="ignore"):  # never, before the first event
            return np.asarray(np.log(np.log(2) / reached))


Predicted = Probability | SurvivalAt | MedianSurvival


@dataclass(frozen=True)
class Reading:
    """One patient read off the nomogram; a median beyond the follow-up is None."""

    points: Mapping[str, float]  # term -> points
    total: float
    linear_predictor: float
    predicted: Mapping[str, float | None]  # name -> probability, survival or median


@dataclass(frozen=True)
class Nomogram:
    """All axes. `origin` is the linear predictor, with the intercept if any, at 0 points."""

    scales: tuple[Scale, ...]
    predicted: tuple[Predicted, ...]
    origin: float
    points_per_unit: float

    @property
    def most_points(self) -> float:
        """The highest total that a patient can reach."""
        return float(sum(each.highest - each.lowest for each in self.scales)) * self.points_per_unit

    def linear_predictor(self, total: ArrayLike) -> Floats:
        """What a total of points stands for."""
        return np.asarray(self.origin + np.asarray(total, dtype=float) / self.points_per_unit)

    def total_points(self, linear_predictor: ArrayLike) -> Floats:
        """Where a linear predictor stands on the axis of totals."""
        above = np.asarray(linear_predictor, dtype=float) - self.origin
        return np.asarray(above * self.points_per_unit)

    def points_of(self, patient: Mapping[str, Value]) -> Reading:
        """One patient's points and what they mean; a value outside its axis is refused."""
        missing = [each.term.name for each in self.scales if each.term.name not in patient]
        if missing:
            raise ValueError(f"found no {', '.join(missing)}; expected a value for every axis.")
        points = {
            each.term.name: float(each.points([patient[each.term.name]])[0]) for each in self.scales
        }
        total = sum(points.values())
        predictor = float(self.linear_predictor(total))
        meant = {each.name: float(each.of(predictor)) for each in self.predicted}
        known = {name: value if np.isfinite(value) else None for name, value in meant.items()}
        return Reading(points, total, predictor, known)


def nomogram(
    terms: Sequence[Term],
    coefficients: ArrayLike,
    ranges: Mapping[str, tuple[float, float]],
    predicted: Sequence[Predicted],
    *,
    intercept: float = 0.0,
) -> Nomogram:
    """The axes of a model: its terms, their coefficients and, if it has one, its intercept.

    `ranges` says from where to where each number's axis goes: those that the training rows held.

    >>> from oncotrail.statistics.regression.terms import Linear
    >>> terms = [Linear("age"), Levels("grade", ("1", "2", "3"))]
    >>> axes, risk = {"age": (40, 90)}, [Probability("risk")]
    >>> sheet = nomogram(terms, [0.02, 0.5, 0.4], axes, risk, intercept=-2)
    >>> read = sheet.points_of({"age": 65, "grade": "2"})
    >>> read.points, round(read.linear_predictor, 3)
    ({'age': 50.0, 'grade': 50.0}, -0.2)
    """
    axes = [_axis(term, ranges) for term in terms]
    cut = by_term(terms, coefficients)
    ends = [_ends(*each) for each in zip(terms, axes, cut, strict=True)]
    widest = max(high - low for low, high in ends)
    if widest == 0:
        raise ValueError("found no term with an effect; expected one coefficient other than 0.")
    per_unit = MOST_POINTS / widest
    scales = tuple(
        Scale(term, axis, tuple(part.tolist()), *lowest_and_highest, per_unit)
        for term, axis, part, lowest_and_highest in zip(terms, axes, cut, ends, strict=True)
    )
    origin = intercept + sum(each.lowest for each in scales)
    return Nomogram(scales, tuple(predicted), origin, per_unit)


def _ends(term: Term, axis: tuple[Value, ...], coefficients: Floats) -> tuple[float, float]:
    """The lowest and the highest contribution on an axis."""
    values: ArrayLike = axis
    if isinstance(term, Spline):
        low, *_, high = (float(value) for value in axis)
        turns = turning_points(coefficients, term.knots)
        values = np.array([low, high, *turns[(turns > low) & (turns < high)]])
    effect = term.columns(values) @ coefficients
    return float(effect.min()), float(effect.max())


def _axis(term: Term, ranges: Mapping[str, tuple[float, float]]) -> tuple[Value, ...]:
    if isinstance(term, Levels):
        return term.levels
    low, high = ranges.get(term.name, (np.nan, np.nan))
    if not -np.inf < low < high < np.inf:
        raise ValueError(
            f"{term.name}: found an axis from {low} to {high}; expected a lower and a higher end."
        )
    return tuple(np.linspace(low, high, GRID).tolist())
