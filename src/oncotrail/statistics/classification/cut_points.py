"""The cut in a marker that separates a binary outcome best, and its corrected p-value.

Where `thresholds` chooses the place to call patients by what a call is worth, this asks whether a
marker separates the outcome at all, wherever it is cut: the maximally selected chi-squared
statistic (Miller and Siegmund, Biometrics 1982, 38:1011). What the cut remembers, and whom it is
refused to, is told in `cut_point`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.cut_point import CutPoint, Search, best_cut
from oncotrail.statistics.maximal_statistic import TENTHS, Correction, Shares


def binary_cut_point(
    labels: ArrayLike,
    values: ArrayLike,
    *,
    role: str,
    shares: Shares = TENTHS,
    correction: Correction = "Lau94",
    generator: np.random.Generator | None = None,
    permutations: int = 10_000,
) -> CutPoint:
    """The cut that separates labels of 1 from those of 0 best, in either direction.

    As `survival.cut_points.survival_cut_point`, with the label itself as the score; the square of
    the statistic is the chi-squared of the fourfold table times (n - 1) / n.

    >>> binary_cut_point([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], role="train").value
    3.5
    """
    patients = arrays.two_classes(labels, values)
    search = Search(shares, correction, generator, permutations)
    scores = patients.labels.astype(np.float64)
    return best_cut(patients.scores, scores, search, events=patients.events, role=role)
