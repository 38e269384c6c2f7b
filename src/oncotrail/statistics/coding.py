"""What each value of a column means: every value is named, or its row is refused.

1 and True and 1.0 are the same value, "1" is another. A blank is None, NaN (also NaT and pandas'
NA), empty text, or a value that the caller says is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Flags, Integers, one_of

Blanks = Literal["refuse", "exclude"]
Values = ArrayLike | Sequence[Any]  # blanks and all
Codes = Any  # one value, or a tuple, list, set or frozenset of values that mean the same
BLANK = -1
_NOT_CODED = -2


def coded(values: Values, meanings: Mapping[str, Codes], blank: Codes = ()) -> Integers:
    """The place of each value's meaning in `meanings`, or BLANK; a value without one is refused.

    >>> coded(["dead", "alive", None], {"event": "dead", "no_event": "alive"}).tolist()
    [0, 1, -1]
    """
    listed, blanks = _checked(meanings, blank)
    found = _objects(values)
    codes = np.full(found.size, _NOT_CODED, dtype=np.int_)
    unknown = np.array([is_blank(value) or value in blanks for value in found])
    codes[unknown] = BLANK
    known = np.flatnonzero(~unknown)
    for place, meant in enumerate(listed):
        codes[known[np.array([value in meant for value in found[known]], dtype=bool)]] = place
    _refuse_others(codes, found, meanings)
    return codes


def kept(blank: Flags, values: Values, name: str, blanks: Blanks) -> Flags:
    """Which rows stay: all, or, where the caller excludes them, those that are not blank.

    >>> kept(np.array([False, True]), [1, None], "values", "exclude").tolist()
    [True, False]
    """
    one_of(blanks, get_args(Blanks), "blanks")
    rows = np.flatnonzero(blank)
    if rows.size and blanks == "refuse":
        found = np.asarray(values, dtype=object)[rows[0]]
        raise ValueError(
            f"{name}: found a blank ({found!r}) in row {rows[0]}{_more(rows.size)}; expected a "
            'value for every patient. To leave these patients out, say blanks="exclude" and report '
            "how many."
        )
    return ~blank


def is_blank(value: object) -> bool:
    """None, empty text, or a value that does not equal itself (NaN, NaT, pandas' NA).

    >>> [is_blank(value) for value in (None, " ", float("nan"), 0)]
    [True, True, True, False]
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or not _is_itself(value)


def text(codes: Codes) -> str:
    """The values that mean one thing, as a message or a figure names them.

    >>> text(("died of cancer", "died of other"))
    'died of cancer or died of other'
    """
    return " or ".join(str(code) for code in _listed(codes))


def _checked(
    meanings: Mapping[str, Codes], blank: Codes
) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    """The values of each meaning, and those that mean blank; no value means two things."""
    listed, blanks = [_listed(codes) for codes in meanings.values()], _listed(blank)
    for name, codes in zip(meanings, listed, strict=True):
        if not codes:
            raise ValueError(f"found no value for {name}; expected at least one.")
        if any(is_blank(code) for code in codes):
            raise ValueError(f"{name}: found a blank; expected a value. A blank is unknown.")
    _refuse_two_meanings([*listed, blanks])
    return listed, blanks


def _refuse_two_meanings(listed: Sequence[tuple[Any, ...]]) -> None:
    seen: list[Any] = []
    for codes in listed:
        twice = next((code for code in codes if code in seen), None)
        if twice is not None:
            raise ValueError(f"found {twice!r} with two meanings; expected one.")
        seen += codes


def _refuse_others(codes: Integers, found: NDArray[Any], meanings: Mapping[str, Codes]) -> None:
    rows = np.flatnonzero(codes == _NOT_CODED)
    if rows.size:
        meant = ", ".join(f"{text(codes)} ({name})" for name, codes in meanings.items())
        raise ValueError(
            f"values: found {found[rows[0]]!r} in row {rows[0]}{_more(rows.size)}; expected "
            f"{meant}. Say what every value means, or which mean blank."
        )


def _listed(codes: Codes) -> tuple[Any, ...]:
    several = isinstance(codes, (tuple, list, set, frozenset, np.ndarray))
    return tuple(codes) if several else (codes,)


def _objects(values: Values) -> NDArray[Any]:
    found = np.asarray(values, dtype=object)
    if found.ndim != 1 or found.size == 0:
        raise ValueError(f"found values of shape {found.shape}; expected one for each patient.")
    return found


def _is_itself(value: object) -> bool:
    try:
        return bool(value == value)  # noqa: PLR0124
    except TypeError:  # pandas' NA is neither
        return False


def _more(rows: int) -> str:
    return f" (and in {rows - 1} more)" if rows > 1 else ""
