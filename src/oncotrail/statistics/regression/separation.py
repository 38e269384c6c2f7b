"""Whether some columns tell the outcome without error, so that an odds ratio is infinite.

The likelihood of a logistic model has a maximum unless some direction d has (2 y - 1) x d >= 0 for
all patients and > 0 for one: then it rises for ever along d, and the outcome is *separated* (Albert
and Anderson, Biometrika 1984, 71:1). For one covariate the order of its values decides, and those
that differ by rounding only (0.1 + 0.2 and 0.3) are equal; for several a linear program finds d
(Konis, DPhil thesis, Oxford 2007), in orthonormal columns, so that the scales of the covariates do
not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oncotrail.statistics.arrays import Flags, Floats, Undefined

_TOLERATED = 1e-6  # the linear program's constraints hold to 1e-7
_ROUNDING = 1e-13  # values that differ by less, relative to the largest, are equal


def refuse_separation(design: Floats, labels: Flags, names: Sequence[str]) -> None:
    """Raise `Undefined` if the likelihood's maximum is at infinity, naming the column.

    `design` is patients x columns of full rank, one of them the intercept if there is one; `names`
    are those of the columns.

    >>> refuse_separation(np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 1.5]]),
    ...     np.array([True, False, True]), ["intercept", "age"])
    Traceback (most recent call last):
    ...
    oncotrail.statistics.arrays.Undefined: age separates the outcomes: its values alone tell ...
    """
    constant = np.ptp(design, axis=0) == 0
    for name, values in zip(names, design.T, strict=True):
        if constant.any() and _apart(values[labels], values[~labels]):
            raise Undefined(_separated(name, "its values alone tell"))
    if constant.any() and len(names) == 2:
        return  # for an intercept and one covariate the order of the values decides
    orthonormal, triangle = np.linalg.qr(design)
    receding = _receding(orthonormal, labels)
    if receding is not None:
        # In units of each column's spread; the intercept, which has none, only places the border.
        direction = np.abs(np.linalg.solve(triangle, receding)) * design.std(axis=0)
        raise Undefined(_separated(names[int(direction.argmax())], "with others it tells"))


def _apart(first: Floats, second: Floats) -> bool:
    both = np.concatenate([first, second])
    same = _ROUNDING * np.abs(both).max()
    if min(first.size, second.size) == 0 or np.ptp(both) <= same:
        return False
    return bool(first.max() <= second.min() + same or second.max() <= first.min() + same)


def _receding(columns: Floats, labels: Flags) -> Floats | None:
    """A direction along which no patient's likelihood falls and somebody's rises, if any."""
    from scipy.optimize import linprog

    towards = np.where(labels, 1, -1)[:, None] * columns * np.sqrt(len(columns))
    found = linprog(-towards.mean(axis=0), -towards, np.zeros(len(towards)), bounds=(-1, 1))
    # If there is one, it goes up to the bounds; if not, what is found is the solver's tolerance.
    return found.x if found.status == 0 and found.fun < -_TOLERATED else None


def _separated(name: str, how: str) -> str:
    return (
        f"{name} separates the outcomes: {how} the patients with the outcome from those without, "
        "so its odds ratio is infinite. Drop it, join its levels, or penalise the model."
    )
