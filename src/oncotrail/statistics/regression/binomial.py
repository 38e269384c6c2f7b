"""The binomial likelihood of a linear predictor, and its maximum.

The log-likelihood sum w (y eta - log(1 + exp(eta))) is concave in the coefficients. Newton's method
climbs it: with probabilities p, score X'w(y - p) and information X'w p(1 - p)X, the step is
information^-1 score (which is iteratively reweighted least squares), halved as long as it would
lead down. It is taken in the orthonormal columns of X's QR decomposition, so covariates of any
scale lose no digits, and a column that is a combination of those before it shows as a zero on the
triangle's diagonal. The climb begins where the columns take out what they can of the offset, so
that an offset of hundreds which they can cancel does not leave every probability at 0 or 1; or at
coefficients that are known to be near, if they are higher up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from oncotrail.statistics.arrays import Flags, Floats, Integers, Undefined
from oncotrail.statistics.regression.dependent_columns import first_dependent
from oncotrail.statistics.regression.separation import refuse_separation

_STEPS = 60
_SMALL_ENOUGH = 1e-16  # squared length of Newton's step in standard errors; the next is its square
_DAMPED = 1e-3
_NO_DOUBT = 1e-11  # of an outcome, times its weight: that little may mean separation
_COLLINEAR = 1e-10  # what is left of a column, relative, once those before it are taken out


@dataclass(frozen=True, eq=False)
class Binomial:
    """Patients, checked: the columns of their linear predictor, outcomes, weights and offsets."""

    design: Floats
    labels: Flags
    weights: Floats
    offset: Floats
    names: tuple[str, ...]
    clusters: Integers | None = None

    def log_likelihood(self, eta: Floats) -> float:
        """Of these linear predictors."""
        return float((self.weights * (self.labels * eta - np.logaddexp(0, eta))).sum())

    def without(self, place: int) -> Binomial:
        """The same patients without one column of the design."""
        names = self.names[:place] + self.names[place + 1 :]
        return replace(self, design=np.delete(self.design, place, axis=1), names=names)

    def shifted(self, by: Floats) -> Binomial:
        """The same patients with something added to their offset."""
        return replace(self, offset=self.offset + by)

    def scores(self, coefficients: Floats) -> Floats:
        """What each patient adds to the score, with its weight; patients x columns."""
        chance = expit(self.design @ coefficients + self.offset)
        return np.asarray((self.weights * (self.labels - chance))[:, None] * self.design)


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the likelihood is largest, and the inverse of the information there."""

    coefficients: Floats
    covariance: Floats
    log_likelihood: float


def maximum(patients: Binomial, near: Floats | None = None) -> Maximum:
    """Climb the likelihood; `Undefined` where its maximum does not exist or is not unique.

    `near` are coefficients to begin from, where some are known.

    >>> ones, y = np.ones((4, 1)), np.array([True, False, False, False])
    >>> maximum(Binomial(ones, y, np.ones(4), np.zeros(4), ("intercept",))).coefficients.round(4)
    array([-1.0986])
    """
    orthonormal, triangle = _decomposed(patients)
    starts = [-(orthonormal.T @ patients.offset)]
    if near is not None:
        starts.append(triangle @ near)
    found = _climbed(orthonormal, patients, starts)
    eta = patients.offset if found is None else orthonormal @ found[0] + patients.offset
    doubt = patients.weights * np.exp(-np.abs(eta))
    if found is None or doubt.min() < _NO_DOUBT * patients.weights.mean():
        refuse_separation(patients.design, patients.labels, patients.names)
    if found is None:
        raise Undefined(
            f"the logistic fit did not converge in {_STEPS} steps, though the outcome is not "
            f"separated; look at the scale of {', '.join(patients.names)} and of the offset."
        )
    inverse = np.linalg.inv(triangle)
    spread = inverse @ np.linalg.inv(found[1]) @ inverse.T
    return Maximum(inverse @ found[0], (spread + spread.T) / 2, patients.log_likelihood(eta))


def _decomposed(patients: Binomial) -> tuple[Floats, Floats]:
    orthonormal, triangle = np.linalg.qr(patients.design)
    left = np.abs(np.diag(triangle))
    norms = np.linalg.norm(patients.design, axis=0)
    known = np.arange(len(patients.names)) >= left.size  # more columns than patients
    known[: left.size] |= left <= _COLLINEAR * norms[: left.size]
    if known.any():
        name = patients.names[int(np.flatnonzero(known)[0])]
        raise Undefined(
            f"{name} is constant or a combination of the columns before it in these "
            f"{len(patients.design)} patients; expected columns that each add something. Drop it."
        )
    return orthonormal, triangle


def _climbed(
    columns: Floats, patients: Binomial, starts: Sequence[Floats]
) -> tuple[Floats, Floats] | None:
    """Coefficients of the orthonormal columns and their information; None if never at rest."""
    enough = _SMALL_ENOUGH * patients.weights.mean()
    heights = [patients.log_likelihood(columns @ start + patients.offset) for start in starts]
    height = max(heights)
    place = starts[heights.index(height)]
    score, information = _slopes(columns, place, patients)
    for _ in range(_STEPS):
        if first_dependent(information, np.diag(information)) is not None:
            # Probabilities at their ends, from which a full step would lead anywhere.
            information += _DAMPED * patients.weights.max() * np.eye(len(information))
        step: Floats = np.linalg.solve(information, score).astype(float)
        gain = float(score @ step)
        place, height = _uphill(columns, place, step, height, patients)
        score, information = _slopes(columns, place, patients)
        if gain <= enough and first_dependent(information, np.diag(information)) is None:
            return place, information
    return None


def _slopes(columns: Floats, place: Floats, patients: Binomial) -> tuple[Floats, Floats]:
    """Score and information."""
    chance = expit(columns @ place + patients.offset)
    score = columns.T @ (patients.weights * (patients.labels - chance))
    return score, columns.T @ ((patients.weights * chance * (1 - chance))[:, None] * columns)


def _uphill(
    columns: Floats, place: Floats, step: Floats, height: float, patients: Binomial
) -> tuple[Floats, float]:
    """Newton's step, halved until it does not lead down (by more than rounding)."""
    floor = height - 1e-10 * abs(height)
    while (reached := patients.log_likelihood(columns @ (place + step) + patients.offset)) < floor:
        step = step / 2  # ends: a step of nothing keeps the height
    return place + step, reached
