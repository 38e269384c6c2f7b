"""What a model's figures would be in new patients, from the patients it was made on.

A model looks better on its own patients than on others. How much better, the *optimism*, the
bootstrap shows: patients are drawn with replacement, the whole making of the model is repeated on
them, and the new model is judged on the drawn patients (training) and on the original ones (test).
The mean difference is taken off the original figure (Harrell, Lee and Mark, Statistics in Medicine
1996, 15:361). In Efron's .632 variant the test patients are those that were not drawn, and

    optimism = 0.632 (original - test),

each resample weighted so that every patient is tested equally often (Efron, JASA 1983, 78:316).

The interval is that of the original figure, moved by the optimism: the percentiles of the training
figures less the optimism (Noma et al., Statistics in Medicine 2021, 40:5691, algorithm 1). It takes
the optimism as known, so it is a little too narrow in small samples; and since a model looks better
still on patients drawn from those it was made on, it leans to the better side where overfitting is
strong.

This is the engine of rms::validate and rms::calibrate (predab.resample), for any model and any
figures: `fit(rows)` makes a model, `judge(model, rows)` returns its figures in these rows. Whole
patients are drawn, so a patient with several rows is never in training and left out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import numpy as np

from oncotrail.statistics.arrays import (
    Floats,
    Integers,
    Undefined,
    checked_confidence,
    one_of,
)
from oncotrail.statistics.uncertainty.endpoints import defined_replicates, percentile_ends
from oncotrail.statistics.uncertainty.resampling import Resamples, drawn_rows

Model = TypeVar("Model")
OptimismMethod = Literal["bootstrap", ".632"]
_SHARE = 0.632  # of the patients that a resample is expected to hold, 1 - 1 / e
_SAME = 1e-7  # training figures that differ by less, relative, differ by their fits' last steps


@dataclass(frozen=True)
class Corrected:
    """One figure: in the original patients, and corrected for optimism with its interval.

    `resamples` counts those in which it was defined in training and in test; where there were none,
    everything that rests on them is None, and so is `original` where that is undefined. `low` and
    `high` are also None where resamples are too few for the confidence (39 for 0.95), where more
    than a twentieth have no such figure, and where the training figures do not differ: the
    calibration slope of a model of maximum likelihood is 1 in its own patients, always.
    """

    name: str
    resamples: int
    original: float | None = None
    training: float | None = None
    test: float | None = None
    optimism: float | None = None
    corrected: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Validation:
    """The figures, and in how many resamples of the `n` patients no model could be made."""

    figures: tuple[Corrected, ...]
    confidence: float
    n: int
    failed: int

    def __getitem__(self, name: str) -> Corrected:
        """The figure of this name."""
        found = [figure for figure in self.figures if figure.name == name]
        if not found:
            known = ", ".join(figure.name for figure in self.figures)
            raise KeyError(f"found no figure {name!r}; expected one of {known}.")
        return found[0]


def correct_optimism(
    fit: Callable[[Integers], Model],
    judge: Callable[[Model, Integers], Floats],
    names: Sequence[str],
    resamples: Resamples,
    *,
    method: OptimismMethod = "bootstrap",
    confidence: float = 0.95,
) -> Validation:
    """Repeat the making of a model in each resample, and correct its figures for optimism.

    `judge` returns one number for each of `names`, NaN where it is undefined. Intervals want 2000
    resamples; the correction alone is steady after 200.

    `fit` raises `arrays.Undefined` where rows allow no model (one outcome only, say). Such a
    resample is counted as failed; where all are, it is refused. On the original rows it is raised,
    as is any other error on any rows.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> drawn = resample(range(4), generator=np.random.default_rng(1), number=500)
    >>> judged = lambda mean, rows: np.array([np.mean((y[rows] - mean) ** 2)])
    >>> found = correct_optimism(lambda rows: y[rows].mean(), judged, ["error"], drawn)["error"]
    >>> found.original, found.corrected > found.original
    (3.5, True)
    """
    one_of(method, get_args(OptimismMethod), "method")
    checked_confidence(confidence)
    everybody = np.arange(resamples.clusters.rows)
    original = np.asarray(judge(fit(everybody), everybody), dtype=np.float64)
    share = np.ones(resamples.number) if method == "bootstrap" else _shares(resamples)
    made = [
        _judged(
            fit, judge, rows, everybody if method == "bootstrap" else _left_out(rows, everybody)
        )
        for rows in drawn_rows(resamples)
    ]
    failed = sum(isinstance(figures, Undefined) for figures in made)
    if failed == len(made):
        raise Undefined(f"found no model in any of {failed} resamples; the first: {made[0]}")
    none = np.full((2, original.size), np.nan)
    both = np.array([none if isinstance(figures, Undefined) else figures for figures in made])
    engine = _Engine(share, method, confidence)
    figures = tuple(
        engine.corrected(name, float(whole), both[:, :, place])
        for place, (name, whole) in enumerate(zip(names, original, strict=True))
    )
    return Validation(figures, confidence, resamples.clusters.n, failed)


@dataclass(frozen=True, eq=False)
class _Engine:
    """What all figures have in common; `share` is the weight of each resample's test."""

    share: Floats
    method: OptimismMethod
    confidence: float

    def corrected(self, name: str, original: float, both: Floats) -> Corrected:
        """From the figure in training and in test, resamples x 2; NaN where it is undefined."""
        defined = ~np.isnan(both).any(axis=1)
        training, test = both.T
        found = {"original": original}
        if defined.any():
            found["training"] = training[defined].mean()
            found["test"] = np.average(test[defined], weights=self.share[defined])
            gap = found["training"] - found["test"]
            efron = _SHARE * (original - found["test"])
            optimism = gap if self.method == "bootstrap" else efron
            found |= {"optimism": optimism, "corrected": original - optimism}
            found |= self._moved(training, original, optimism)
        shown = {key: float(value) for key, value in found.items() if not np.isnan(value)}
        return Corrected(name=name, resamples=int(defined.sum()), **shown)

    def _moved(self, training: Floats, original: float, optimism: float) -> dict[str, float]:
        """The ends of the figure in training, less the optimism."""
        try:
            kept = defined_replicates(training, self.confidence)
        except ValueError:  # too few resamples, or too many without the figure
            return {}
        if np.isnan(original) or np.ptp(kept) <= _SAME * (np.abs(kept).max() + abs(optimism)):
            return {}
        ends = percentile_ends(kept, self.confidence)
        return {"low": ends.low - optimism, "high": ends.high - optimism}


def _judged(
    fit: Callable[[Integers], Model],
    judge: Callable[[Model, Integers], Floats],
    rows: Integers,
    test: Integers,
) -> tuple[Floats, Floats] | Undefined:
    """The figures in training and in test, or why there is no model."""
    try:
        model = fit(rows)
    except Undefined as reason:
        return reason
    return judge(model, rows), judge(model, test)


def _left_out(rows: Integers, everybody: Integers) -> Integers:
    return np.flatnonzero(np.bincount(rows, minlength=everybody.size) == 0)


def _shares(resamples: Resamples) -> Floats:
    """The weight of each resample in .632: of its rows, one over how often each is tested."""
    left_out = np.concatenate([block == 0 for block in resamples.blocks()])
    times = left_out.sum(axis=0)
    if (times == 0).any():
        raise ValueError(
            f"found {int((times == 0).sum())} patients that every resample drew; "
            "the .632 method needs each left out at least once. Draw more resamples."
        )
    rows = np.bincount(resamples.clusters.patient)
    return np.asarray(left_out @ (rows / times) / rows.sum(), dtype=np.float64)
