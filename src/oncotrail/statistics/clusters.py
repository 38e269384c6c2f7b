"""Rows that are not independent: the images of a patient, the patients of a centre.

The rows of one cluster move together, so a variance adds up what whole clusters do. It shows
nothing where there is one cluster only.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Integers, Undefined, groups


def numbered_clusters(clusters: ArrayLike, n: int, kept: Flags | None = None) -> Integers:
    """Numbers from 0 for the clusters of `n` rows; a single one (of those `kept`) is refused.

    >>> numbered_clusters(["P2", "P1", "P2"], 3).tolist()
    [1, 0, 1]
    """
    found = groups(clusters, n, "clusters")
    there = found if kept is None else found[kept]
    if (there == there[0]).all():
        raise Undefined(
            "clusters: found the same in every row; clusters that differ show the spread, so "
            "expected at least two. Leave clusters out, or give each patient's own."
        )
    return found
