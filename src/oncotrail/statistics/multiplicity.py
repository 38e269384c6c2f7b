"""p-values that take account of how many were looked at.

Sort the m p-values. *Bonferroni* multiplies each by m. *Holm* steps down: the smallest times m, the
next times m - 1, and so on, none below the one before it; like Bonferroni it bounds the chance of
any false claim, and is never less powerful. *Benjamini and Hochberg* step up: from the largest
down, the k-th smallest times m / k, none above the one after it; it bounds the expected share of
false claims among the claims made.

A test that does not exist (None) was not made: it is passed on and not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

PValues = Sequence[float | None]


def holm(p_values: PValues) -> list[float | None]:
    """Holm's step-down adjustment, for the family-wise error.

    (Holm, Scandinavian Journal of Statistics 1979, 6:65.)

    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = _sorted(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    before = 0.0
    for rank, (p, place) in enumerate(known):
        before = min(1.0, max(before, p * (len(known) - rank)))
        adjusted[place] = before
    return adjusted


def benjamini_hochberg(p_values: PValues) -> list[float | None]:
    """Benjamini and Hochberg's step-up adjustment, for the false discovery rate.

    It holds for independent tests and for those that are positively dependent. (Benjamini and
    Hochberg, Journal of the Royal Statistical Society B 1995, 57:289.)

    >>> benjamini_hochberg([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = _sorted(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    after = 1.0
    for rank in range(len(known), 0, -1):
        p, place = known[rank - 1]
        after = min(after, p * len(known) / rank)
        adjusted[place] = after
    return adjusted


def bonferroni(p_values: PValues) -> list[float | None]:
    """Each p-value times their number, at most 1.

    >>> bonferroni([0.01, None, 0.04])
    [0.02, None, 0.08]
    """
    count = len(_sorted(p_values))
    return [None if p is None else min(1.0, p * count) for p in p_values]


def _sorted(p_values: PValues) -> list[tuple[float, int]]:
    """The p-values that exist, smallest first, with their places."""
    known = [(p, place) for place, p in enumerate(p_values) if p is not None]
    for p, place in known:
        if not 0 <= p <= 1:  # a NaN too
            raise ValueError(
                f"p_values: found {p} at place {place}; expected a number from 0 to 1, "
                "or None for a test that was not made."
            )
    return sorted(known)
