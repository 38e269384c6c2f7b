"""What a model's figures would be in new patients, from the patients it was made on.

A model looks better on its own patients than on others. How much better, the *optimism*, the
bootstrap shows: patients are drawn with replacement, the whole making of the model is repeated on
them, and the new model is judged on the drawn patients (training) and on the original ones (test).
The mean difference is taken off the original figure (Harrell, Lee and Mark, Statistics in Medicine
1996, 15:361). In Efron's .632 variant the test patients are those that were not drawn, and

    optimism = 0.632 (original - test),

each resample weighted so that every patient is tested equally often (Efron, JASA 1983, 78:316).

This is the engine of rms::validate and rms::calibrate (predab.resample), for any model and any
figures: `fit(rows)` makes a model, `judge(model, rows)` returns its figures in these rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from oncotrail.statistics.arrays import Flags, Floats, Integers, Undefined, one_of

Model = TypeVar("Model")


@dataclass(frozen=True)
class Corrected:
    """One figure: in the original patients, and corrected for optimism.

    `resamples` counts those in which it was defined in training and in test; where there were none,
    everything that rests on them is None, and so is `original` where that is undefined.
    """

    name: str
    original: float | None
    training: float | None
    test: float | None
    optimism: float | None
    corrected: float | None
    resamples: int


@dataclass(frozen=True)
class Validation:
    """The figures, and in how many resamples no model could be made."""

    figures: tuple[Corrected, ...]
    failed: int

    def __getitem__(self, name: str) -> Corrected:
        """The figure of this name."""
        found = [figure for figure in self.figures if figure.name == name]
        if not found:
            known = ", ".join(figure.name for figure in self.figures)
            raise KeyError(f"found no figure {name!r}; expected one of {known}.")
        return found[0]


def draw_patients(
    n: int, resamples: int, generator: np.random.Generator, strata: Integers | None = None
) -> Integers:
    """Resamples x n: the rows of the patients drawn, with replacement, in each.

    With `strata` (a group for each patient) each stratum keeps its size; strata of the outcome keep
    a rare one from vanishing.

    >>> draw_patients(4, 2, np.random.default_rng(1)).tolist()
    [[1, 2, 3, 3], [0, 0, 3, 3]]
    """
    if resamples < 1:
        raise ValueError(f"found {resamples} resamples; expected at least 1.")
    if strata is None:
        return generator.integers(n, size=(resamples, n))
    drawn = np.empty((resamples, n), dtype=np.int_)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        drawn[:, rows] = generator.choice(rows, size=(resamples, rows.size))
    return drawn


def correct_optimism(
    fit: Callable[[Integers], Model],
    judge: Callable[[Model, Integers], Floats],
    names: Sequence[str],
    drawn: Sequence[Integers] | Integers,
    *,
    n: int,
    method: Literal["bootstrap", ".632"] = "bootstrap",
) -> Validation:
    """Repeat the making of a model in each of `drawn`, and correct its figures for optimism.

    `judge` returns one number for each of `names`, NaN where it is undefined; `drawn` holds the
    rows of each resample (of any length, so clusters may be drawn), out of `n`.

    `fit` raises `arrays.Undefined` where rows allow no model (one outcome only, say). Such a
    resample is counted as failed; where all are, it is refused. On the original rows it is raised,
    as is any other error on any rows.

    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> drawn = draw_patients(4, 500, np.random.default_rng(1))
    >>> judged = lambda mean, rows: np.array([np.mean((y[rows] - mean) ** 2)])
    >>> found = correct_optimism(lambda rows: y[rows].mean(), judged, ["error"], drawn, n=4)
    >>> found["error"].original, found["error"].corrected > found["error"].original
    (3.5, True)
    """
    one_of(method, ("bootstrap", ".632"), "method")
    if not len(drawn):
        raise ValueError("found no resamples; expected at least 1.")
    everybody = np.arange(n)
    original = np.asarray(judge(fit(everybody), everybody), dtype=np.float64)
    resamples = [np.asarray(rows) for rows in drawn]
    tests = [everybody if method == "bootstrap" else _left_out(rows, n) for rows in resamples]
    share = np.full(len(tests), 1.0) if method == "bootstrap" else _shares(tests, n)
    made = [_judged(fit, judge, rows, test) for rows, test in zip(resamples, tests, strict=True)]
    kept = np.array([not isinstance(figures, Undefined) for figures in made], dtype=bool)
    if isinstance(made[0], Undefined) and not kept.any():
        raise Undefined(f"found no model in any of {len(made)} resamples; the first: {made[0]}")
    both = np.array([figures for figures in made if not isinstance(figures, Undefined)])
    training, test = both.reshape(-1, 2, original.size).swapaxes(0, 1)
    defined = ~np.isnan(training + test)
    means = (_mean(training, defined, share[kept] ** 0), _mean(test, defined, share[kept]))
    figures = _figures(names, original, *means, 0.632 if method == ".632" else None)
    counted = defined.sum(axis=0).tolist()
    return Validation(
        tuple(Corrected(*figure, count) for figure, count in zip(figures, counted, strict=True)),
        int((~kept).sum()),
    )


def _figures(
    names: Sequence[str], original: Floats, training: Floats, test: Floats, share: float | None
) -> list[tuple[str, float | None, float | None, float | None, float | None, float | None]]:
    """Name, original, training, test, optimism and corrected; None for NaN."""
    optimism = training - test if share is None else share * (original - test)
    columns = (original, training, test, optimism, original - optimism)
    shown = [[None if np.isnan(x) else float(x) for x in column] for column in columns]
    return list(zip(names, *shown, strict=True))


def _judged(
    fit: Callable[[Integers], Model],
    judge: Callable[[Model, Integers], Floats],
    rows: Integers,
    test: Integers,
) -> tuple[Floats, Floats] | Undefined:
    try:
        model = fit(rows)
    except Undefined as reason:
        return reason
    return judge(model, rows), judge(model, test)


def _left_out(rows: Integers, n: int) -> Integers:
    return np.flatnonzero(np.bincount(rows, minlength=n) == 0)


def _shares(tests: Sequence[Integers], n: int) -> Floats:
    """The weight of each resample in .632: of its patients, one over how often each is tested."""
    times = np.bincount(np.concatenate(tests), minlength=n)
    if (times == 0).any():
        raise ValueError(
            f"found {int((times == 0).sum())} patients that every resample drew; "
            "the .632 method needs each left out at least once. Draw more resamples."
        )
    return np.array([(1 / times[test]).sum() for test in tests]) / n


def _mean(values: Floats, defined: Flags, share: Floats) -> Floats:
    """Weighted means over the resamples in which a figure is defined; NaN where in none."""
    weight = np.where(defined, share[:, None], 0)
    total = np.where(defined, values, 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((weight * total).sum(axis=0) / weight.sum(axis=0))
