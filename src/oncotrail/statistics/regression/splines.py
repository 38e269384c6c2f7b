"""Restricted cubic splines: a smooth curve that is a straight line beyond its outer knots.

A curve of k knots costs k - 1 coefficients: the value itself, and for each knot t_j but the last
two a piece that starts at t_j,

    (x - t_j)+^3 - (x - t_{k-1})+^3 (t_k - t_j) / (t_k - t_{k-1})
                 + (x - t_k)+^3 (t_{k-1} - t_j) / (t_k - t_{k-1}),

the last two terms chosen so that the cubic and the quadratic cancel above the last knot. Every
piece is divided by (t_k - t_1)^2, so that it has the units of x (Harrell, Regression Modeling
Strategies, 2nd edition 2015, section 2.4.5).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, Undefined, column

_FEWEST, _MOST = 3, 7  # knots for which Harrell gives quantiles
_TIED = 0.05  # a share of equal values at an end that moves the outer knot off it
_SMALL = 100  # below this many values, outer quantiles rest on almost nobody
_OUTERMOST = 5  # so the outer knots are then the fifth smallest and the fifth largest


def knots(values: ArrayLike, count: int = 4) -> Floats:
    """Where to put `count` (3 to 7) knots: Harrell's quantiles, ascending, in units of `values`.

    The outer knots are at the 0.10 and 0.90 quantiles for 3 knots, 0.05 and 0.95 for 4 to 6, 0.025
    and 0.975 for 7, the others equally spaced between in quantiles. With fewer than 100 values the
    outer knots are the fifth smallest and the fifth largest. Where at least 5 % of the patients
    share the smallest (or largest) value, and no value between has so many, that knot is the second
    smallest (largest) distinct value, and the other quantiles are of what lies beyond it. All as
    Hmisc::rcspline.eval; but where ties leave fewer knots than asked, which Hmisc then silently
    uses, a ValueError says so.

    >>> knots(range(1, 201), 3).round(2).tolist()
    [20.9, 100.5, 180.1]
    """
    found = np.sort(column(values, "values"))
    if not _FEWEST <= count <= _MOST:
        raise ValueError(f"found {count} knots; expected {_FEWEST} to {_MOST}.")
    distinct, times = np.unique(found, return_counts=True)
    if distinct.size - 2 <= count:
        raise Undefined(
            f"found {distinct.size} distinct values; {count} knots need at least {count + 3}. "
            "Take the variable as linear or as levels, or give the knots yourself."
        )
    placed = np.unique(_placed(found, distinct, times, count))
    if placed.size < count:
        raise Undefined(
            f"found only {placed.size} distinct knots of the {count} asked, at "
            f"{', '.join(f'{knot:g}' for knot in placed)}: too many equal values. "
            "Ask for fewer knots or give them yourself."
        )
    return placed


def restricted_cubic(values: ArrayLike, knots: ArrayLike) -> Floats:
    """The columns of the spline: the value itself, then k - 2 pieces, all in the units of `values`.

    As Hmisc::rcspline.eval(x, knots, inclx = TRUE, norm = 2). `knots` must ascend.

    >>> restricted_cubic([0.0, 2.0, 4.0], [0.0, 1.0, 2.0]).round(6).tolist()
    [[0.0, 0.0], [2.0, 1.5], [4.0, 4.5]]
    """
    x = column(values, "values")
    at = column(knots, "knots")
    if at.size < _FEWEST or (np.diff(at) <= 0).any():
        raise ValueError(
            f"found knots {at.tolist()}; expected at least {_FEWEST}, ascending, each once."
        )
    before, last = at[-2], at[-1]
    # Divided before the cube, so that large values do not lose their digits.
    beyond = np.maximum(x[:, None] - at, 0) / (last - at[0]) ** (2 / 3)
    cubes = beyond**3
    share = (last - at[:-2]) / (last - before)
    pieces = cubes[:, :-2] - share * cubes[:, -2:-1] + (share - 1) * cubes[:, -1:]
    return np.column_stack([x, pieces])


def turning_points(coefficients: ArrayLike, knots: ArrayLike) -> Floats:
    """Where the curve of these coefficients turns between knots, ascending; beyond it is straight.

    Between two knots it is a cubic, so four of its places say where its slope is 0.

    >>> turning_points([-1.0, 1.0], [0.0, 1.0, 2.0]).round(3).tolist()  # x^3 / 4 - x, at first
    [1.184]
    """
    places = [np.linspace(*ends, 4) for ends in pairwise(column(knots, "knots").tolist())]
    found = [
        Polynomial.fit(x, restricted_cubic(x, knots) @ np.asarray(coefficients), 3).deriv().roots()
        for x in places
    ]
    return np.array(
        [
            float(root.real)
            for x, roots in zip(places, found, strict=True)
            for root in roots
            if np.isreal(root) and x[0] <= root.real <= x[-1]
        ]
    )


def _placed(found: Floats, distinct: Floats, times: Integers, count: int) -> Floats:
    """Knots in Hmisc's order; `found` is sorted. Ends with ties first, quantiles of the rest."""
    share = times / found.size
    spread = share[1:-1].max() < _TIED
    first = distinct[1:2] if spread and share[0] >= _TIED else distinct[:0]
    last = distinct[-2:-1] if spread and share[-1] >= _TIED else distinct[:0]
    rest = found[found > first[0]] if first.size else found
    rest = rest[rest < last[0]] if last.size else rest
    if rest.size < _OUTERMOST:
        raise Undefined(
            f"found {rest.size} values beyond the ties at the ends; knots need {_OUTERMOST}. "
            "Take the variable as levels, or give the knots yourself."
        )
    inner = np.quantile(rest, _quantiles(count, count - first.size - last.size))
    collapsed = np.unique(inner).size < min(inner.size, _FEWEST)
    if not collapsed and rest.size < _SMALL:
        if not first.size:
            inner[0] = rest[_OUTERMOST - 1]
        if not last.size:
            inner[-1] = rest[-_OUTERMOST]
    return np.concatenate([first, inner, last])


def _quantiles(count: int, left: int) -> Floats:
    outer = 0.1 if count == _FEWEST else 0.025 if count == _MOST else 0.05
    if left <= 2:  # Hmisc's: the median, and the upper outer quantile
        return np.array([0.5, 1 - outer])[:left]
    return np.linspace(outer, 1 - outer, left)
