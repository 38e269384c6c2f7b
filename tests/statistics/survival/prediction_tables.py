"""The patients that tests/reference/survival_prediction.R judged predictions on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.survival.censoring import Censoring, censoring_distribution
from tests.reference import tables
from tests.statistics.oracles import reference

SAID = reference("survival_prediction")
PYTHON = reference("survival_prediction_python")  # of scikit-survival
REAL, SMALL = sorted(SAID["real"]), sorted(SAID["small"])
CASES = REAL + SMALL


@dataclass(frozen=True)
class Table:
    """Times, events, two linear predictors, and R's answers; survival is exponential."""

    times: Floats
    events: Floats
    first: Floats
    second: Floats
    scale: float
    horizons: list[float]
    said: dict[str, Any]

    def survival(self, horizon: float, which: str = "first") -> Floats:
        return np.exp(-horizon / self.scale * np.exp(getattr(self, which)))

    def survivals(self, horizons: Sequence[float]) -> Floats:
        return np.array([self.survival(horizon) for horizon in horizons]).T


def table(case: str) -> Table:
    said = SAID["real" if case in REAL else "small"][case]
    if case in REAL:
        columns = {"gbsg2": _gbsg2, "rossi": _rossi, "lung": _lung, "larynx": _larynx}[case]()
    else:
        columns = tuple(said["table"][name] for name in ("time", "event", "first", "second"))
    times, events, first, second = (np.asarray(column, dtype=float) for column in columns)
    return Table(
        times, events, first.round(6), second.round(6), said["scale"], said["horizons"], said
    )


def training_and_new(t: Table, rows: str) -> tuple[Flags, Censoring]:
    """Whom scikit-survival judged, and the censoring of the rows that it was given for that."""
    half = np.arange(t.times.size) < t.times.size // 2
    if rows == "same":
        return np.ones(half.size, dtype=bool), censoring_distribution(t.times, t.events)
    later = ~half & (t.times < t.times[half].max())
    return later, censoring_distribution(t.times[half], t.events[half])


def spread(error: float) -> float:
    """R's standard error; NaN for our None where R says 0, as of a perfect marker."""
    return np.nan if error < 1e-12 else error


def numbers(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]


# Few distinct values, so that ties of all kinds are common, and times of 0.
patients = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25
).map(lambda rows: tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def hidden_ties(times: Floats) -> Floats:
    """The same times but for rounding, so that none is equal to another."""
    return np.asarray(times * (1 + np.arange(times.size) * 1e-13))


def repeated(columns: Sequence[Floats], counts: Floats) -> list[Floats]:
    """Each row as often as it counts."""
    return [np.repeat(column, counts.astype(int), axis=0) for column in columns]


def _gbsg2() -> tuple[Any, ...]:
    d = tables.gbsg2()
    first = 0.25 * (d["grade"] - 2) + 0.05 * d["nodes"] - 0.002 * d["progesterone"]
    return d["time"], d["event"], first, 0.3 * (d["grade"] - 2) + 0.01 * d["size"]


def _rossi() -> tuple[Any, ...]:
    d = tables.rossi()
    first = -0.05 * (d["age"] - 25) + 0.09 * d["prio"] - 0.3 * d["fin"]
    return d["time"], d["event"], first, d["prio"] / 10


def _lung() -> tuple[Any, ...]:
    d = tables.lung()
    d = d[d["ecog"].notna()]
    first = 0.02 * (d["age"] - 62) + 0.4 * d["ecog"] - 0.4
    return d["time"], d["status"], first, 0.5 * d["ecog"]


def _larynx() -> tuple[Any, ...]:
    d = tables.larynx()
    stage = d["Stage_II"] + 2 * d["Stage_III"] + 3 * d["Stage_IV"]
    return d["time"], d["event"], 0.4 * stage + 0.02 * (d["age"] - 65), 0.5 * stage
