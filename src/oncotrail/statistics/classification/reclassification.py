"""What a new model changes: whose predicted risk moves the right way, and how far.

*Net reclassification improvement*: among patients with the outcome, the share whose risk moves up
less the share whose risk moves down; among those without, down less up. Its sum runs from -2 to 2.
A move is into another category of risk, or, in the continuous version, any change (Pencina et al.,
Statistics in Medicine 2008, 27:157, and 2011, 30:11).

*Integrated discrimination improvement*: the mean change in risk of patients with the outcome, and
the mean change, downwards, of those without; its sum is the gain in the difference of mean risks.

The intervals and tests are normal, with the variances of a multinomial share and of a mean, and
independent groups (as Hmisc::improveProb). They take both models as given: on the rows the models
were fitted on, and for nested models, they are too narrow and too often significant (Pepe et al.,
Statistics in Medicine 2014, 33:3415; Kerr et al., Epidemiology 2014, 25:114).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers, column, two_classes
from oncotrail.statistics.intervals import Difference, normal_difference
from oncotrail.statistics.results import result


@dataclass(frozen=True)
class Improvement:
    """The whole improvement, and its part in patients with and without the outcome.

    Above 0 the new model is better. Error, interval, z and p are None where the group shows no
    spread: nobody moved, everybody moved the same way, or (integrated) a single patient.
    """

    total: Difference
    events: Difference
    non_events: Difference


@result
class Reclassification:
    """A categorical improvement, with the tables: rows are the old category, columns the new."""

    improvement: Improvement
    events: Integers
    non_events: Integers


@dataclass(frozen=True)
class _Part:
    """A value and its variance (None: unknown)."""

    value: float
    variance: float | None


# Changes that are equal on paper (0.3 - 0.2 and 0.6 - 0.5) differ by less than this.
_ROUNDING = 1e-14


def continuous_nri(
    labels: ArrayLike, old: ArrayLike, new: ArrayLike, confidence: float = 0.95
) -> Improvement:
    """Net reclassification where any change in predicted risk is a move; an unchanged one is none.

    `old` and `new` are risks from 0 to 1.

    >>> found = continuous_nri([0, 0, 1, 1], [0.2, 0.4, 0.5, 0.6], [0.1, 0.5, 0.7, 0.8])
    >>> found.total.value, found.events.value, found.non_events.value
    (1.0, 1.0, 0.0)
    """
    outcome, before, after = _compared(labels, old, new)
    return _net(outcome, np.sign(after - before).astype(int), confidence)


def categorical_nri(
    labels: ArrayLike,
    old: ArrayLike,
    new: ArrayLike,
    cutpoints: ArrayLike,
    confidence: float = 0.95,
) -> Reclassification:
    """Net reclassification between categories of risk, with its two tables.

    A risk at a cut-point is in the upper category. How many categories a patient moves does not
    count, only the direction.

    >>> found = categorical_nri([0, 0, 1, 1], [0.2, 0.4, 0.5, 0.6], [0.1, 0.6, 0.7, 0.8], [0.5])
    >>> found.improvement.total.value, found.non_events.tolist()
    (-0.5, [[1, 1], [0, 0]])
    """
    outcome, before, after = _compared(labels, old, new)
    cuts = column(cutpoints, "cutpoints", above=0, high=1)
    if (np.diff(cuts) <= 0).any():
        raise ValueError(f"found cutpoints {cuts.tolist()}; expected them to rise.")
    old_category, new_category = (np.searchsorted(cuts, risk, "right") for risk in (before, after))
    cell = old_category * (cuts.size + 1) + new_category
    shape = (cuts.size + 1, cuts.size + 1)
    tables = [
        np.bincount(cell[group], minlength=shape[0] ** 2).reshape(shape)
        for group in (outcome, ~outcome)
    ]
    moves = np.sign(new_category - old_category)
    return Reclassification(_net(outcome, moves, confidence), *tables)


def idi(labels: ArrayLike, old: ArrayLike, new: ArrayLike, confidence: float = 0.95) -> Improvement:
    """Integrated discrimination improvement: how much further apart the mean risks are, -2 to 2.

    >>> found = idi([0, 0, 1, 1], [0.2, 0.4, 0.5, 0.6], [0.1, 0.5, 0.7, 0.9])
    >>> round(found.total.value, 6), round(found.events.value, 6)
    (0.25, 0.25)
    """
    outcome, before, after = _compared(labels, old, new)
    change = after - before
    parts = _mean_change(change[outcome]), _mean_change(-change[~outcome])
    return _improvement(*parts, outcome, confidence, "normal")


def _compared(labels: ArrayLike, old: ArrayLike, new: ArrayLike) -> tuple[Flags, Floats, Floats]:
    outcome = two_classes(labels, old).labels
    before, after = (
        column(risk, name, n=outcome.size, low=0, high=1)
        for risk, name in ((old, "old"), (new, "new"))
    )
    return outcome, before, after


def _net(outcome: Flags, moves: Integers, confidence: float) -> Improvement:
    """`moves` are -1, 0 or 1, upwards positive."""
    parts = _net_share(moves[outcome]), _net_share(-moves[~outcome])
    return _improvement(*parts, outcome, confidence, "multinomial")


def _net_share(moves: Integers) -> _Part:
    """Share that moved the right way less share that moved the wrong way."""
    n, moved, net = moves.size, int((moves != 0).sum()), int(moves.sum())
    # In whole numbers, so that no spread is exactly zero.
    return _Part(net / n, (moved * n - net**2) / n**3)


def _mean_change(change: Floats) -> _Part:
    n = change.size
    if n == 1:
        return _Part(float(change[0]), None)
    same = np.ptp(change) < _ROUNDING
    return _Part(float(change.mean()), 0.0 if same else float(change.var(ddof=1) / n))


def _improvement(
    events: _Part, non_events: _Part, outcome: Flags, confidence: float, method: str
) -> Improvement:
    n, happened = outcome.size, int(outcome.sum())
    variance = None
    if events.variance is not None and non_events.variance is not None:
        variance = events.variance + non_events.variance
    total = _Part(events.value + non_events.value, variance)

    def difference(part: _Part, most: int, n: int, events: int) -> Difference:
        return normal_difference(
            part.value,
            part.variance,
            most=most,
            confidence=confidence,
            n=n,
            events=events,
            method=method,
        )

    return Improvement(
        total=difference(total, 2, n, happened),
        events=difference(events, 1, happened, happened),
        non_events=difference(non_events, 1, n - happened, 0),
    )
