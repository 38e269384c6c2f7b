"""Cox's partial likelihood, its derivatives, and the climb to its maximum.

At each event time the patients at risk draw lots, in proportion to w exp(eta), eta the linear
predictor and w the case weight; the likelihood is the chance that those who had the event are
those drawn (Cox, JRSS B 1972, 34:187). With S the sum of w exp(eta) over the risk set, an event
contributes w eta - w log S. When d patients share a time,

- Breslow (Biometrics 1974, 30:89) takes log S for each of them;
- Efron (JASA 1977, 72:557) lets them leave one after the other, but shares the order out:
  log(S - l / d D), l = 0 ... d - 1, D the sum over the d; each gets their mean weight.

Both are a sum over *terms*, (event time, fraction l / d, weight); Breslow has one term a time.
The score is the sum of events' covariates minus the risk sets' means. The information is the sum
over terms of the covariances in the risk set, that is E(x x') - E(x) E(x)'. Sum E(x x') over terms
first: each patient then enters once, with weight w exp(eta) times the hazard that she lived
through, and all of it is one product X' diag(a) X. So nothing larger than n x p is ever held.

Newton-Raphson with step halving climbs it; it is concave. It is there when one more step would
change no patient's linear predictor. Where the likelihood is monotone (a column that separates:
no event in a group, say) steps never get shorter, and that is refused with the column's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oncotrail.statistics.arrays import Floats, Undefined
from oncotrail.statistics.regression.risk_sets import Positions, RiskSets

MOST_STEPS = 60
SAME = 1e-6  # the last step moves no patient's linear predictor by more; its error is the square
SINGULAR = 1e-11  # share of a column's information that the other columns must leave


@dataclass(frozen=True)
class Terms:
    """What the likelihood sums over: an event time, the share of its ties that left, a weight."""

    group: Positions
    fraction: Floats
    weight: Floats


@dataclass(frozen=True)
class Hazards:
    """Baseline hazard of each event time, and the part of it that patients tied there escape."""

    full: Floats
    escaped: Floats


@dataclass(frozen=True)
class Derivatives:
    """Log partial likelihood, its gradient, and minus its second derivatives."""

    value: float
    score: Floats
    information: Floats


@dataclass(frozen=True)
class Maximum:
    """Where the climb began (all coefficients 0) and where it ended."""

    coefficients: Floats
    start: Derivatives
    end: Derivatives
    iterations: int


@dataclass(frozen=True)
class PartialLikelihood:
    """The likelihood of one sample; covariates and weights are sorted as `sets.order`."""

    sets: RiskSets
    covariates: Floats
    weights: Floats
    terms: Terms

    def at(self, coefficients: Floats) -> Derivatives:
        """Value and derivatives; the value is not finite where exp has run out of numbers."""
        rows, weight = self.sets.events, self.terms.weight
        eta = self.covariates @ coefficients
        eta = eta - eta.max()  # only differences count, and exp holds more of them so
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            risk = self.weights * np.exp(eta)
            left = self._left(risk)
            means = self._means(risk, left)
            return Derivatives(
                value=float(self.weights[rows] @ eta[rows] - weight @ np.log(left)),
                score=self.weights[rows] @ self.covariates[rows] - weight @ means,
                information=self._information(risk, means, weight, weight / left),
            )

    def information(self, coefficients: Floats, multipliers: Floats) -> Floats:
        """The information with the part of each event time multiplied."""
        risk, each = self.risk(coefficients), multipliers[self.terms.group]
        left = self._left(risk)
        weight = self.terms.weight * each
        return self._information(risk, self._means(risk, left), weight, weight / left)

    def hazards(self, coefficients: Floats) -> Hazards:
        """The baseline's increments (of a patient whose covariates are 0), by the terms."""
        return self._hazards(self.terms.weight / self._left(self.risk(coefficients)))

    def means(self, coefficients: Floats) -> Floats:
        """The mean covariates of those at risk; terms x columns."""
        risk = self.risk(coefficients)
        return self._means(risk, self._left(risk))

    def left(self, coefficients: Floats) -> Floats:
        """The total risk that each term draws from."""
        return self._left(self.risk(coefficients))

    def risk(self, coefficients: Floats) -> Floats:
        """W exp(eta) of each patient, sorted."""
        return self.weights * np.exp(self.covariates @ coefficients)

    def _left(self, risk: Floats) -> Floats:
        total = self.sets.at_risk(risk)[self.terms.group]
        return total - self.terms.fraction * self.sets.tied(risk)[self.terms.group]

    def _means(self, risk: Floats, left: Floats) -> Floats:
        drawn = risk[:, None] * self.covariates
        total = self.sets.at_risk(drawn)[self.terms.group]
        if self.terms.fraction.any():
            total -= self.terms.fraction[:, None] * self.sets.tied(drawn)[self.terms.group]
        return total / left[:, None]

    def _hazards(self, each: Floats) -> Hazards:
        size = self.sets.times.size
        return Hazards(
            full=sum_by(self.terms.group, each, size),
            escaped=sum_by(self.terms.group, each * self.terms.fraction, size),
        )

    def _information(self, risk: Floats, means: Floats, weight: Floats, each: Floats) -> Floats:
        x, hazards = self.covariates, self._hazards(each)
        lived = risk * self.sets.accumulate(hazards.full)
        lived[self.sets.events] -= risk[self.sets.events] * hazards.escaped[self.sets.event_group]
        return (x * lived[:, None]).T @ x - (means * weight[:, None]).T @ means


def sum_by(group: Positions, values: Floats, size: int) -> Floats:
    """The sum of the values of each group, numbered from 0."""
    return np.bincount(group, values, minlength=size).astype(np.float64)


def partial_likelihood(
    sets: RiskSets, covariates: Floats, weights: Floats, ties: str
) -> PartialLikelihood:
    """The likelihood of columns in the patients' own order; `ties` is "efron" or "breslow"."""
    covariates, weights = covariates[sets.order], weights[sets.order]
    total = sets.tied(weights)
    size = np.diff(np.append(sets.event_starts, sets.events.size))
    if ties == "breslow" or (size == 1).all():
        terms = Terms(np.arange(total.size), np.zeros(total.size), total)
    else:
        within = np.arange(sets.events.size) - sets.event_starts[sets.event_group]
        group = sets.event_group
        terms = Terms(group, within / size[group], (total / size)[group])
    return PartialLikelihood(sets, covariates, weights, terms)


def maximise(likelihood: PartialLikelihood, names: Sequence[str]) -> Maximum:
    """Climb from zero. Columns are best centred and scaled; `names` are for refusals."""
    place: Floats = np.zeros(likelihood.covariates.shape[1])
    start = now = likelihood.at(place)
    # Not beside its own information: of a column that is constant in every risk set all of that is
    # rounding, and would pass.
    squares = np.diag(start.information) + likelihood.terms.weight @ likelihood.means(place) ** 2
    dependent = first_dependent(start.information, squares)
    if dependent is not None:
        raise Undefined(_collinear(names[dependent]))
    step: Floats = np.zeros_like(place)
    for iteration in range(1, MOST_STEPS + 1):
        if first_dependent(now.information, np.diag(start.information)) is not None:
            break
        step = np.asarray(np.linalg.solve(now.information, now.score), dtype=np.float64)
        if np.abs(likelihood.covariates @ step).max() < SAME:
            return Maximum(place + step, start, likelihood.at(place + step), iteration)
        place, now = _uphill(likelihood, place, step, now)
    raise Undefined(_monotone(names, step, likelihood.covariates))


def first_dependent(information: Floats, full: Floats) -> int | None:
    """The first column of which the columns before it leave next to nothing; None if all stand.

    `full` is what each column would have by itself. The squared diagonal of Cholesky's factor is
    what it has left.

    >>> first_dependent(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([1.0, 4.0]))
    1
    """
    if _stands(information, full):
        return None
    sizes = range(1, full.size)
    fallen = (k - 1 for k in sizes if not _stands(information[:k, :k], full[:k]))
    return next(fallen, full.size - 1)


def _stands(information: Floats, full: Floats) -> bool:
    try:
        left = np.diag(np.linalg.cholesky(information)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((left > SINGULAR * full).all())


def _uphill(
    likelihood: PartialLikelihood, place: Floats, step: Floats, now: Derivatives
) -> tuple[Floats, Derivatives]:
    slack = 1e-12 * (1 + abs(now.value))  # rounding near the top
    while True:  # it ends: at the latest with a step that rounds to nothing
        after = likelihood.at(place + step)
        if np.isfinite(after.value) and after.value >= now.value - slack:
            return place + step, after
        step = step / 2


def _collinear(name: str) -> str:
    return (
        f"column {name!r} carries no information of its own: it is constant in every risk set or a "
        "sum of the columns before it. Expected independent columns; drop it."
    )


def _monotone(names: Sequence[str], step: Floats, covariates: Floats) -> str:
    moved = step * covariates.std(axis=0)
    worst = int(np.abs(moved).argmax())
    end = "+infinity" if moved[worst] > 0 else "-infinity"
    return (
        "the fit did not converge: the likelihood keeps rising as the "
        f"coefficient of column {names[worst]!r} goes to {end} (monotone likelihood, as when a "
        "group has no event or a covariate orders the events perfectly). Merge the group, drop "
        "the column, or fit a penalised model."
    )
