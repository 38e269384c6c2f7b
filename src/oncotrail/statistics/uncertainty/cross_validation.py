"""What folds and seeds say, without pretending that they are independent.

Folds share their training patients, so their figures vary together and a plain t interval over them
is far too narrow. Nadeau and Bengio (Machine Learning 2003, 52:239) widen it: with J folds (all
repeats together), n1 training and n2 test patients in each, the variance of the mean is

    (1 / J + n2 / n1) s^2,    with J - 1 degrees of freedom,

where s^2 is the variance between folds. Of r repeats of k-fold cross-validation, J = r k and
n2 / n1 = 1 / (k - 1) (Bouckaert and Frank, PAKDD 2004, LNCS 3056:3): more repeats make the mean
steadier, and never certain. The plain interval is not offered.

Seeds are another matter: the same patients, trained again. A t interval over seeds covers where the
mean over all seeds lies *on these patients*, and a chi-squared interval how much they scatter about
it. Neither says anything of other patients: for those, resample patients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, stdtr, stdtrit

from oncotrail.statistics.arrays import Floats, Undefined, checked_confidence, column

Limits = tuple[float, float]
NO_LIMITS = (-math.inf, math.inf)


@dataclass(frozen=True)
class Repeated:
    """A mean over folds or seeds, with its interval; `figures` is how many went in.

    Where all figures are equal the standard error is 0 and the interval has no width to trust: low
    and high are None.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    standard_error: float
    degrees_of_freedom: int
    figures: int
    covers: str


@dataclass(frozen=True)
class SeedSpread:
    """The standard deviation between seeds, in the figure's unit; 0 has no interval (None)."""

    value: float
    low: float | None
    high: float | None
    confidence: float
    degrees_of_freedom: int
    seeds: int


@dataclass(frozen=True)
class FoldTest:
    """The mean difference over folds, its interval, and Nadeau and Bengio's test that it is 0.

    Where all folds differ by the same, interval, t and p are None.
    """

    difference: Repeated
    t: float | None
    p_value: float | None


def fold_interval(
    figures: ArrayLike,
    *,
    train: ArrayLike,
    test: ArrayLike,
    confidence: float = 0.95,
    limits: Limits = NO_LIMITS,
) -> Repeated:
    """The corrected interval for a figure over the folds of a (repeated) cross-validation.

    `figures` has one number for each fold of every repeat, all in one list; `train` and `test` are
    the numbers of patients, the same for all folds or one for each. `limits` are those of the
    figure (0 and 1 of an area); the interval is cut there.

    >>> found = fold_interval([0.71, 0.78, 0.69, 0.74, 0.80], train=560, test=140)
    >>> round(found.low, 3), round(found.high, 3)
    (0.658, 0.83)
    """
    values = _several(figures, limits)
    error = _corrected_error(values, train, test)
    covers = "other training and test sets of these sizes from the same population"
    return _interval(values, error, confidence, covers, limits)


def fold_test(
    differences: ArrayLike,
    *,
    train: ArrayLike,
    test: ArrayLike,
    confidence: float = 0.95,
    limits: Limits = NO_LIMITS,
) -> FoldTest:
    """Two-sided test of two models over the same folds, from each fold's difference.

    `limits` are those of a difference (-1 and 1 of areas); the interval is cut there.

    >>> found = fold_test([0.02, 0.05, -0.01, 0.03, 0.04], train=560, test=140)
    >>> round(found.t, 3), round(found.p_value, 3), round(found.difference.low, 3)
    (1.684, 0.168, -0.017)
    """
    found = fold_interval(differences, train=train, test=test, confidence=confidence, limits=limits)
    if not found.standard_error:
        return FoldTest(found, None, None)
    t = found.value / found.standard_error
    return FoldTest(found, t, float(2 * stdtr(found.degrees_of_freedom, -abs(t))))


def seed_interval(
    figures: ArrayLike, confidence: float = 0.95, *, limits: Limits = NO_LIMITS
) -> Repeated:
    """A t interval for the mean over training seeds, on the same patients.

    `limits` are those of the figure (0 and 1 of an area); the interval is cut there.

    >>> found = seed_interval([0.81, 0.79, 0.80, 0.83, 0.80])
    >>> round(found.low, 3), round(found.high, 3)
    (0.787, 0.825)
    >>> found.covers
    'other seeds on these same patients; not other patients'
    """
    values = _several(figures, limits)
    error = _spread(values) / math.sqrt(values.size)
    covers = "other seeds on these same patients; not other patients"
    return _interval(values, error, confidence, covers, limits)


def seed_spread(figures: ArrayLike, confidence: float = 0.95) -> SeedSpread:
    """How much training seeds scatter on the same patients; lower is steadier.

    The interval inverts the chi-squared distribution of (n - 1) s^2 / sigma^2, so it takes the
    figures as normal, and is wide for few seeds.

    >>> found = seed_spread([0.81, 0.79, 0.80, 0.83, 0.80])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.0152, 0.0091, 0.0436)
    """
    values, tail = _several(figures), (1 - checked_confidence(confidence)) / 2
    spread, freedom = _spread(values), values.size - 1
    low, high = (spread * math.sqrt(freedom / chdtri(freedom, p)) for p in (tail, 1 - tail))
    return SeedSpread(
        value=spread,
        low=low if spread else None,
        high=high if spread else None,
        confidence=confidence,
        degrees_of_freedom=freedom,
        seeds=values.size,
    )


def _several(figures: ArrayLike, limits: Limits = NO_LIMITS) -> Floats:
    values = column(figures, "figures", low=limits[0], high=limits[1])
    if values.size < 2:
        raise Undefined("figures: found 1; expected at least 2, for one has no spread.")
    return values


def _spread(values: Floats) -> float:
    # Equal figures have a spread of exactly zero, which rounding in the mean would hide.
    return 0.0 if np.ptp(values) == 0 else float(values.std(ddof=1))


def _corrected_error(values: Floats, train: ArrayLike, test: ArrayLike) -> float:
    training, testing = (
        column(np.broadcast_to(np.asarray(size), np.shape(size) or (1,)), name, low=1)
        for size, name in ((train, "train"), (test, "test"))
    )
    for sizes, name in ((training, "train"), (testing, "test")):
        if sizes.size not in (1, values.size):
            raise ValueError(
                f"{name}: found {sizes.size} sizes; expected 1 or one for each of "
                f"{values.size} folds."
            )
    share = float(testing.mean() / training.mean())
    return math.sqrt(1 / values.size + share) * _spread(values)


def _interval(
    values: Floats, error: float, confidence: float, covers: str, limits: Limits
) -> Repeated:
    freedom = values.size - 1
    half = float(stdtrit(freedom, (1 + checked_confidence(confidence)) / 2)) * error
    mean = float(values.mean())
    return Repeated(
        value=mean,
        low=max(limits[0], mean - half) if half else None,
        high=min(limits[1], mean + half) if half else None,
        confidence=confidence,
        standard_error=error,
        degrees_of_freedom=freedom,
        figures=values.size,
        covers=covers,
    )
