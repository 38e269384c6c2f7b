"""Loess: a curve through a cloud of points, fitted around each place by a small regression.

At a place t, the `span` share of patients nearest to t is taken, each with the weight
(1 - (d / h)^3)^3 for its distance d, h the distance of the farthest; a parabola (or a line) is
fitted to them, and its height at t is the curve (Cleveland and Devlin, JASA 1988, 83:596). The
height is a sum of the outcomes with factors that depend on x alone, the *operator*; their squares
give the variance.

Fitting around every patient would take n^2 steps. As in the authors' program (dloess, which R has),
heights and slopes are computed at a few vertices only, and between two vertices the curve is the
cubic with those heights and slopes: `interpolate`. The vertices are the ends of the range and the
medians by which it is halved until a cell holds at most `n span / 5` patients, so there are some
twenty, whatever n.

With V vertices the curve at the patients is L y, where L = H O: H (n x 2V) interpolates, O (2V x n)
is the operator at the vertices. So the degrees of freedom, which are traces of products of L, come
from matrices of 4V x 4V, and memory is linear in n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Undefined, column
from oncotrail.statistics.results import result

_MARGIN = 0.005  # how far the outer vertices lie beyond the data, of the range
_CELL = 0.2  # a cell holds at most this share of a span
_FLAT = 1e-10  # what is left of a column of the local regression, relative, if it adds nothing


@dataclass(frozen=True)
class Degrees:
    """Traces of the smoother: of L, of (I - L)(I - L)', and of the square of the latter."""

    trace: float
    first: float
    second: float

    @property
    def residual(self) -> float:
        """Degrees of freedom of the t distribution for the curve's interval."""
        return self.first**2 / self.second


@result
class Loess:
    """The operator of a smoother: what only depends on where the patients are, not on outcomes.

    `slopes` and `heights` are vertices x patients.
    """

    x: Floats
    span: float
    degree: int
    vertices: Floats
    heights: Floats
    slopes: Floats

    def curve(self, outcomes: ArrayLike, at: ArrayLike) -> Floats:
        """The interpolated curve through `outcomes` (one per patient), at places in x's range."""
        y = column(outcomes, "outcomes", n=self.x.size)
        vertex = np.concatenate([self.heights @ y, self.slopes @ y])
        return np.asarray(self._interpolation(at) @ vertex)

    def variance(self, each: ArrayLike, at: ArrayLike) -> Floats:
        """The curve's variance at places, from the variance of each patient's outcome."""
        spread = column(each, "variances", n=self.x.size, low=0)
        vertex = np.concatenate([self.heights, self.slopes])
        between = self._interpolation(at)
        return np.asarray(np.einsum("ij,jk,ik->i", between, (vertex * spread) @ vertex.T, between))

    def degrees(self) -> Degrees:
        """Exact degrees of freedom, in linear time."""
        n, between = self.x.size, self._interpolation(self.x)
        vertex = np.concatenate([self.heights, self.slopes])
        trace = float(np.einsum("ij,ji->", between, vertex))
        gram = vertex @ vertex.T
        # (I - L)(I - L)' = I + U K U', with U = [H, O'] and K = [[O O', -I], [-I, 0]].
        both = np.concatenate([between, vertex.T], axis=1)
        unit = np.eye(len(gram))
        core = np.block([[gram, -unit], [-unit, np.zeros_like(gram)]]) @ (both.T @ both)
        first = n + float(np.trace(core))
        return Degrees(trace, first, n + 2 * float(np.trace(core)) + float(np.sum(core * core.T)))

    def _interpolation(self, at: ArrayLike) -> Floats:
        """Places x 2 V: what each vertex' height, then each one's slope, contributes."""
        # A loess curve does not extrapolate.
        z = column(at, "at", low=float(self.x.min()), high=float(self.x.max()))
        cell = np.clip(np.searchsorted(self.vertices, z) - 1, 0, self.vertices.size - 2)
        width = self.vertices[cell + 1] - self.vertices[cell]
        h = (z - self.vertices[cell]) / width
        found = np.zeros((z.size, 2 * self.vertices.size))
        rows, slope = np.arange(z.size), cell + self.vertices.size
        found[rows, cell] = (1 - h) ** 2 * (1 + 2 * h)
        found[rows, cell + 1] = h**2 * (3 - 2 * h)
        found[rows, slope] = h * (1 - h) ** 2 * width
        found[rows, slope + 1] = -(h**2) * (1 - h) * width
        return found


def loess_operator(
    x: ArrayLike, *, span: float = 0.75, degree: int = 2, weights: ArrayLike | None = None
) -> Loess:
    """The smoother of patients at `x`, ready for any outcomes; as R's loess(y ~ x, weights = w).

    `span` is the share of patients in a neighbourhood, above 0 to 1; `degree` 1 or 2. `weights`,
    above 0, are factors of the patients in the local regressions. A neighbourhood counts rows all
    the same, so a weight of 2 is nearly, but not quite, the row twice. Where ties leave a
    neighbourhood with too few distinct values for its parabola, a ValueError says so (R goes on
    with a pseudo-inverse).

    >>> x = np.arange(30.0)
    >>> smoother = loess_operator(x, weights=1 + x)
    >>> smoother.vertices.round(3).tolist()
    [-0.145, 3.0, 7.0, 11.0, 14.0, 18.0, 22.0, 26.0, 29.145]
    >>> smoother.curve(x**2, [2.5]).round(3).tolist()
    [6.25]
    """
    found = _checked(x, span, degree)
    weight = np.ones(found.size) if weights is None else weights
    root = np.sqrt(column(weight, "weights", n=found.size, above=0))
    vertices = _vertices(np.sort(found), span)
    local = np.stack([_local(found, vertex, span, degree, root) for vertex in vertices])
    return Loess(found, span, degree, vertices, local[:, 0], local[:, 1])


def loess(
    x: ArrayLike, outcomes: ArrayLike, at: ArrayLike, *, span: float = 0.75, degree: int = 2
) -> Floats:
    """The curve of `outcomes` against `x` at the places `at`, which must lie in x's range.

    As predict(loess(outcomes ~ x), at) in R, family gaussian, with its interpolated surface.

    >>> x = np.arange(10.0)
    >>> loess(x, x**2, [2.5, 4.0]).round(3).tolist()
    [6.25, 16.0]
    """
    return loess_operator(x, span=span, degree=degree).curve(outcomes, at)


def _checked(x: ArrayLike, span: float, degree: int) -> Floats:
    found = column(x, "x")
    if not 0 < span <= 1 or degree not in {1, 2}:
        raise ValueError(
            f"found span {span} and degree {degree}; expected a span above 0 to 1, degree 1 or 2."
        )
    return found


def _local(x: Floats, place: float, span: float, degree: int, factors: Floats) -> Floats:
    """2 x patients: the operators of the local parabola's height and slope at the place.

    `factors` are the roots of the patients' weights.
    """
    distance = np.abs(x - place)
    nearest = min(x.size, int(x.size * span + 1e-5))
    reach = np.partition(distance, max(nearest - 1, 0))[max(nearest - 1, 0)]
    near = np.flatnonzero(distance < reach)
    share = distance[near] / reach if near.size else distance[near]
    inner = 1 - share * share * share  # many times faster than a power
    root = inner * np.sqrt(inner) * factors[near]
    powers = root[:, None] * ((x[near, None] - place) / (reach or 1)) ** np.arange(degree + 1)
    orthonormal, triangle = np.linalg.qr(powers)
    left = np.abs(np.diag(triangle))
    if left.size <= degree or (left <= _FLAT * np.linalg.norm(powers, axis=0)).any():
        raise Undefined(
            f"found {np.unique(x[near]).size} distinct values in the neighbourhood of {place:g}; a "
            f"local fit of degree {degree} needs more. Take a wider span or a spline curve."
        )
    found = np.zeros((2, x.size))
    found[:, near] = np.linalg.solve(triangle, orthonormal.T)[:2] * root
    found[1] /= reach
    return found


def _vertices(ordered: Floats, span: float) -> Floats:
    """The ends of the box and the cuts that halve it, ascending; as in dloess' k-d tree."""
    spread = ordered[-1] - ordered[0]
    margin = _MARGIN * max(spread, 1e-10 * float(np.abs(ordered).max()) + 1e-30)
    ends = [float(ordered[0] - margin), float(ordered[-1] + margin)]
    fewest = int(ordered.size * span * _CELL)
    cuts: set[float] = set()
    cells = [(0, ordered.size - 1, ends[0], ends[1])]
    while cells:
        first, last, low, high = cells.pop()
        if last - first + 1 <= fewest:
            continue
        middle = _middle(ordered, first, last)
        cut = float(ordered[middle])
        if cut in {low, high}:
            continue
        cuts.add(cut)
        cells += [(first, middle, low, cut), (middle + 1, last, cut, high)]
    return np.array(sorted(cuts | set(ends)))


def _middle(ordered: Floats, first: int, last: int) -> int:
    """The median's place, moved to where the next value differs, if ties end within the cell.

    dloess looks 0, 1, -1, 2, -2 ... places away, and gives up at the first that is outside.
    """
    middle = (first + last) // 2
    away = first + np.flatnonzero(np.diff(ordered[first : last + 1])) - middle
    turn = np.where(away > 0, 2 * away - 1, -2 * away)
    outside = min(2 * (last - middle) - 1, 2 * (middle - first + 1))
    turn = np.where(turn < outside, turn, outside)
    if turn.size == 0 or turn.min() == outside:
        return middle
    return int(middle + away[turn.argmin()])
