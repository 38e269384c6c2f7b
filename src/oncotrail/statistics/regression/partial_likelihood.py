"""Cox's partial likelihood, its derivatives, and the climb to its maximum.

At each event time the patients at risk draw lots, in proportion to w exp(eta), eta the linear
predictor (with an offset, if any) and w the case weight; the likelihood is the chance that those
who had the event are those drawn (Cox, JRSS B 1972, 34:187). With S the sum of w exp(eta) over the
risk set, an event contributes w eta - w log S. When d patients share a time,

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
from oncotrail.statistics.regression.dependent_columns import first_dependent
from oncotrail.statistics.regression.risk_sets import Positions, RiskSets

MOST_STEPS = 60
SAME = 1e-6  # the last step moves no patient's linear predictor by more; its error is the square
_FARTHEST = 600.0  # exp of it is a number still, also times weights and covariates


@dataclass(frozen=True, eq=False)
class Terms:
    """What the likelihood sums over: an event time, the share of its ties that left, a weight."""

    group: Positions
    fraction: Floats
    weight: Floats


@dataclass(frozen=True, eq=False)
class Hazards:
    """Baseline hazard of each event time, and the part of it that patients tied there escape."""

    full: Floats
    escaped: Floats


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Log partial likelihood, its gradient, and minus its second derivatives."""

    value: float
    score: Floats
    information: Floats


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the climb began (all coefficients 0) and where it ended."""

    coefficients: Floats
    start: Derivatives
    end: Derivatives
    iterations: int


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The likelihood of one sample; its columns are sorted as `sets.order`."""

    sets: RiskSets
    covariates: Floats
    weights: Floats
    offset: Floats
    terms: Terms

    def at(self, coefficients: Floats) -> Derivatives:
        """Value and derivatives; the value is not finite where exp has run out of numbers."""
        rows, weight = self.sets.events, self.terms.weight
        eta = self._above_highest(coefficients)
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
        """The hazard's steps in the patient of the `highest` linear predictor, by the terms."""
        return self._hazards(self.terms.weight / self._left(self.risk(coefficients)))

    def means(self, coefficients: Floats) -> Floats:
        """The mean covariates of those at risk; terms x columns."""
        risk = self.risk(coefficients)
        return self._means(risk, self._left(risk))

    def left(self, coefficients: Floats) -> Floats:
        """The total risk that each term draws from."""
        return self._left(self.risk(coefficients))

    def risk(self, coefficients: Floats) -> Floats:
        """W exp(eta - highest) of each patient, sorted."""
        return self.weights * self.ratio(coefficients)

    def ratio(self, coefficients: Floats) -> Floats:
        """Each patient's hazard over that of the `highest`, exp(eta - highest), sorted."""
        return np.exp(self._above_highest(coefficients))

    def highest(self, coefficients: Floats) -> float:
        """The highest linear predictor of any weight. Risks are counted from it: exp holds them."""
        eta = self.covariates @ coefficients + self.offset
        return float(eta[self.weights > 0].max())

    def by_event(self, values: Floats) -> Floats:
        """The sum of the values of each event time's terms; event times x columns."""
        starts = np.searchsorted(self.terms.group, np.arange(self.sets.times.size))
        return np.asarray(np.add.reduceat(values, starts, axis=0))

    def _above_highest(self, coefficients: Floats) -> Floats:
        eta = self.covariates @ coefficients + self.offset
        # Only patients of weight 0 can be, and 0 times infinity is no number.
        return np.minimum(eta - self.highest(coefficients), _FARTHEST)

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
        return Hazards(self.by_event(each), self.by_event(each * self.terms.fraction))

    def _information(self, risk: Floats, means: Floats, weight: Floats, each: Floats) -> Floats:
        x, hazards = self.covariates, self._hazards(each)
        lived = risk * self.sets.accumulate(hazards.full)
        lived[self.sets.events] -= risk[self.sets.events] * hazards.escaped[self.sets.event_group]
        return (x * lived[:, None]).T @ x - (means * weight[:, None]).T @ means


def partial_likelihood(
    sets: RiskSets, covariates: Floats, weights: Floats, ties: str, offset: Floats | None = None
) -> PartialLikelihood:
    """The likelihood of columns in the patients' own order; `ties` is "efron" or "breslow".

    >>> from oncotrail.statistics.regression.risk_sets import risk_sets
    >>> died, x = np.array([True, False, True]), np.array([[1.0], [0.0], [2.0]])
    >>> sets = risk_sets(np.array([3.0, 2.0, 1.0]), died, np.zeros(3, dtype=int))
    >>> partial_likelihood(sets, x, np.ones(3), "efron").at(np.zeros(1)).score  # 2 is 1 above 1
    array([1.])
    """
    shift = np.zeros(len(weights)) if offset is None else offset
    covariates, weights, shift = covariates[sets.order], weights[sets.order], shift[sets.order]
    total = sets.tied(weights)
    size = np.diff(np.append(sets.event_starts, sets.events.size))
    if ties == "breslow" or (size == 1).all():
        terms = Terms(np.arange(total.size), np.zeros(total.size), total)
    else:
        within = np.arange(sets.events.size) - sets.event_starts[sets.event_group]
        group = sets.event_group
        terms = Terms(group, within / size[group], (total / size)[group])
    return PartialLikelihood(sets, covariates, weights, shift, terms)


def maximise(likelihood: PartialLikelihood, names: Sequence[str]) -> Maximum:
    """Climb from zero. Columns are best centred and scaled; `names` are for refusals.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> maximise(sample.likelihood(sample.covariates, "efron"), ["arm"]).coefficients.round(3)
    array([1.227])
    """
    place: Floats = np.zeros(likelihood.covariates.shape[1])
    start = now = likelihood.at(place)
    # Not beside its own information: of a column that is constant in every risk set all of that is
    # rounding, and would pass.
    squares = np.diag(start.information) + likelihood.terms.weight @ likelihood.means(place) ** 2
    dependent = first_dependent(start.information, squares)
    if dependent is not None:
        raise Undefined(_collinear(names[dependent]))
    step: Floats = np.zeros_like(place)
    present = likelihood.covariates[likelihood.weights > 0]
    for iteration in range(1, MOST_STEPS + 1):
        if _is_flat(now, start):
            break
        step = np.asarray(np.linalg.solve(now.information, now.score), dtype=np.float64)
        if np.abs(present @ step).max() < SAME:
            end = likelihood.at(place + step)
            if _is_flat(end, start):
                break
            return Maximum(place + step, start, end, iteration)
        place, now = _uphill(likelihood, place, step, now)
    raise Undefined(_monotone(names, step, present))


def _is_flat(now: Derivatives, start: Derivatives) -> bool:
    """Whether next to nothing is left of some column's information, or exp has run out."""
    held = np.isfinite(now.value) and np.isfinite(now.information).all()
    return not held or first_dependent(now.information, np.diag(start.information)) is not None


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
    worst = int(np.abs(step * covariates.std(axis=0)).argmax())
    end = "+infinity" if step[worst] > 0 else "-infinity"
    return (
        "the fit did not converge: the likelihood keeps rising as the coefficient of column "
        f"{names[worst]!r} goes to {end} (monotone likelihood, as when a group has no event or a "
        "covariate orders the events perfectly). Merge the group, drop the column, or fit a "
        "penalised model."
    )
