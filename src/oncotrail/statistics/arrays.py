"""The door of this room: arrays are checked once, then only computed with.

Every message names the first row (from 0) that is wrong, what was found there, and the range that
is permitted. A blank (NaN) is refused and never dropped: who is left out is the caller's decision,
made by patient id and reported.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence, Sized
from decimal import Decimal
from numbers import Real
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.results import result

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int_]


class Undefined(ValueError):
    """Right input of which this figure does not exist: one outcome only, equal scores, separation.

    A table of figures shows a blank with this sentence; wrong input is a plain ValueError.
    """


@result
class Scored:
    """Patients with their outcome (True: it happened) and one score each; higher is likelier."""

    labels: Flags
    scores: Floats

    @property
    def n(self) -> int:
        """How many patients."""
        return self.labels.size

    @property
    def events(self) -> int:
        """How many of them had the outcome."""
        return int(self.labels.sum())


@result
class Survived:
    """Patients with a time each, and whether it ended in the event (True) or was censored."""

    times: Floats
    events: Flags

    @property
    def n(self) -> int:
        """How many patients."""
        return self.times.size

    @property
    def number_of_events(self) -> int:
        """How many of them had the event."""
        return int(self.events.sum())


def scored(labels: ArrayLike, scores: ArrayLike) -> Scored:
    """Check labels (0 or 1) and scores (finite) of the same patients.

    >>> scored([0, 1, 1], [0.2, 0.4, 0.9]).events
    2
    """
    outcome = binary(labels, "labels")
    return Scored(outcome, column(scores, "scores", n=outcome.size))


def two_classes(labels: ArrayLike, scores: ArrayLike) -> Scored:
    """`scored`, and both outcomes must occur: discrimination between one group is undefined.

    >>> two_classes([0, 1], [0.2, 0.4]).n
    2
    """
    patients = scored(labels, scores)
    if patients.events in (0, patients.n):
        raise Undefined(
            f"found {patients.events} events in {patients.n} patients; "
            "discrimination needs patients of both outcomes."
        )
    return patients


def probable(labels: ArrayLike, probabilities: ArrayLike) -> Scored:
    """`scored`, where the scores must be probabilities, 0 to 1.

    >>> probable([0, 1], [0.2, 40])
    Traceback (most recent call last):
    ValueError: probabilities: found 40.0 in row 1; expected a finite number of at least 0 and at...
    """
    outcome = binary(labels, "labels")
    return Scored(outcome, column(probabilities, "probabilities", n=outcome.size, low=0, high=1))


def survived(times: ArrayLike, events: ArrayLike) -> Survived:
    """Check times (0 or more) and events (1 happened, 0 censored) of the same patients.

    A time of 0 is a patient who was seen once: in R's `Surv` too, who is at risk at 0 only.

    >>> survived([2.0, 5.0, 5.0], [1, 0, 1]).number_of_events
    2
    """
    time = column(times, "times", low=0)
    return Survived(time, binary(events, "events", n=time.size))


def binary(values: ArrayLike, name: str, n: int | None = None) -> Flags:
    """0 and 1 (or False and True), one per row, at least one row.

    >>> binary([1, 2], "labels")
    Traceback (most recent call last):
    ValueError: labels: found 2 in row 1; expected 0 (did not happen) or 1 (happened).
    """
    found = _one_per_row(values, name, n)
    if found.dtype == bool:
        return found.copy()  # not the caller's own, which may change
    # As np.isin(found, (0, 1)), which takes as long as ranking a few thousand scores.
    _refuse((found != 0) & (found != 1), found, name, "0 (did not happen) or 1 (happened)")
    return found.astype(bool)


def column(
    values: ArrayLike,
    name: str,
    *,
    n: int | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    above: float = -np.inf,
) -> Floats:
    """Finite numbers from `low` to `high` and above `above`, one per row, at least one row.

    >>> column([5, 0], "ages", above=0)
    Traceback (most recent call last):
    ValueError: ages: found 0.0 in row 1; expected a finite number above 0.
    """
    found = _numbers(_one_per_row(values, name, n), values, name, _range(low, high, above))
    wrong = ~np.isfinite(found) | (found < low) | (found > high) | (found <= above)
    _refuse(wrong, found, name, _range(low, high, above))
    return found


def weights(values: ArrayLike | None, n: int) -> Floats:
    """Weights, at least 0 and not all 0; none means one each. What they count, each room says.

    >>> weights(None, 2).tolist()
    [1.0, 1.0]
    """
    if values is None:
        return np.ones(n)
    found = column(values, "weights", n=n, low=0)
    if not found.any():
        raise ValueError("found weights that are all 0; expected at least one above 0.")
    return found


def matrix(values: ArrayLike, name: str, n: int | None = None) -> Floats:
    """Finite numbers, rows x columns; one column may come without its second axis.

    >>> matrix([1, 2, 3], "covariates").shape
    (3, 1)
    """
    found = _numbers(_table(values, name), values, name, "a finite number")
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or 0 in found.shape or n not in (None, found.shape[0]):
        raise ValueError(f"found {name} of shape {found.shape}; expected {n or 'rows'} x columns.")
    wrong = ~np.isfinite(found)
    if wrong.any():
        row, place = (int(axis[0]) for axis in np.nonzero(wrong))
        raise ValueError(
            f"{name}: found {found[row, place]} in row {row}, column {place}; "
            "expected finite numbers. Impute or exclude the patient first."
        )
    return found


def groups(values: ArrayLike, n: int | None = None, name: str = "groups") -> Integers:
    """Numbers from 0 for the distinct values (any type), in sorted order; one per row.

    >>> groups(["b", "a", "b"]).tolist()
    [1, 0, 1]
    """
    found = _one_per_row(values, name, n)
    blank = np.array([value is None or _is_nan(value) for value in found.tolist()])
    _refuse(blank, found, name, "a group for every row")
    return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int_)


def column_names(names: Sequence[str] | None, columns: int) -> tuple[str, ...]:
    """A name for every column, all different; made up where none are given.

    >>> column_names(None, 2)
    ('column 0', 'column 1')
    """
    found = tuple(names) if names is not None else tuple(f"column {i}" for i in range(columns))
    if len(found) != columns or len(set(found)) != columns:
        raise ValueError(f"found names {list(found)}; expected {columns} different ones.")
    return found


def one_of(value: str, allowed: Sequence[str], name: str) -> str:
    """An option that exists: a misspelt one must not silently mean another.

    >>> one_of("loes", ["loess", "lowess", "spline"], "smoother")
    Traceback (most recent call last):
    ValueError: smoother: found 'loes', expected one of loess, lowess, spline.
    """
    if value not in allowed:
        raise ValueError(f"{name}: found {value!r}, expected one of {', '.join(allowed)}.")
    return value


def checked_confidence(confidence: float) -> float:
    """A confidence level strictly between 0 and 1.

    >>> checked_confidence(95)
    Traceback (most recent call last):
    ValueError: found confidence 95; expected a number between 0 and 1, such as 0.95.
    """
    if not 0 < confidence < 1:
        raise ValueError(
            f"found confidence {confidence}; expected a number between 0 and 1, such as 0.95."
        )
    return float(confidence)


def _one_per_row(values: ArrayLike, name: str, n: int | None) -> NDArray[Any]:
    found = _table(values, name)
    if found.ndim != 1 or n not in (None, found.size):
        expected = "one per row" if n is None else f"one for each of {n} rows"
        raise ValueError(f"found {name} of shape {found.shape}; expected {expected}.")
    if found.size == 0:
        raise ValueError(f"{name}: found no rows; expected at least one.")
    return found


def _table(values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:  # rows of different lengths, of which numpy does not say where
        pass
    lengths = [_length(row) for row in cast("Sequence[object]", values)]
    row = next((row for row, length in enumerate(lengths) if length != lengths[0]), 0)
    raise ValueError(
        f"{name}: found {reprlib.repr(values[row])} in row {row}; "  # type: ignore[index]
        "expected rows of numbers that are all as long as row 0."
    )


def _length(row: object) -> int | None:
    return len(row) if isinstance(row, Sized) and not isinstance(row, str) else None


def _numbers(found: NDArray[Any], values: ArrayLike, name: str, expected: str) -> Floats:
    if found.dtype.kind in "biuf":
        return found.astype(np.float64)
    # As they came: numpy makes text of all, where one is.
    objects = np.asarray(values, dtype=object)
    wrong = next((at for at, value in np.ndenumerate(objects) if not _is_number(value)), None)
    if wrong is not None:
        where = f"row {wrong[0]}" + "".join(f", column {axis}" for axis in wrong[1:])
        shown = reprlib.repr(objects[wrong])
        raise ValueError(f"{name}: found {shown} in {where}; expected {expected}.")
    return objects.astype(np.float64)


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, Decimal))


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _refuse(wrong: Flags, found: NDArray[Any], name: str, expected: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        more = f" (and in {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        value = repr(str(found[row])) if isinstance(found[row], str) else found[row]
        raise ValueError(f"{name}: found {value} in row {row}{more}; expected {expected}.")


def _range(low: float, high: float, above: float) -> str:
    bounds = [f"above {above:g}"] if above > -np.inf else []
    bounds += [f"of at least {low:g}"] if low > -np.inf else []
    bounds += [f"at most {high:g}"] if high < np.inf else []
    return f"a finite number {' and '.join(bounds)}".rstrip()
