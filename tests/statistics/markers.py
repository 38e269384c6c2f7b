"""Markers that hypothesis draws: both outcomes occur, and scores are few, so there are ties."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Marker = tuple[NDArray[np.int_], NDArray[np.float64]]


@st.composite
def markers(draw: st.DrawFn, smallest_group: int = 1) -> Marker:
    size = st.integers(smallest_group, 15)
    positives, negatives = draw(size), draw(size)
    labels = draw(st.permutations([1] * positives + [0] * negatives))
    scores = draw(
        st.lists(st.integers(-8, 8), min_size=len(labels), max_size=len(labels)).map(
            lambda whole: np.array(whole) / 4
        )
    )
    return np.array(labels), scores
