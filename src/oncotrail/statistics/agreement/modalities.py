"""Whether modalities differ when several readers read the same cases with each.

Each reader has an area under the ROC curve with each modality. Areas vary between readers, and
because of the cases, which all areas share. Obuchowski and Rockette (Communications in Statistics -
Simulation and Computation 1995, 24:285) put both in one analysis of variance of the areas:

1. Take the covariance of all areas that the cases show (reader_study.py). Average it into a
   variance and three covariances: same reader and another modality (Cov1), same modality and
   another reader (Cov2), both other (Cov3).
2. Compare the mean square between modalities, MS(T), with its expectation if all are equal.
   Random readers and cases:  MS(T:R) + J max(Cov2 - Cov3, 0)
   Random readers, fixed cases:  MS(T:R)
   Fixed readers, random cases:  Var - Cov1 + (J - 1) max(Cov2 - Cov3, 0), chi-squared
3. The denominator has Hillis' degrees of freedom, (MS(T:R) + J max(Cov2 - Cov3, 0))^2 (I - 1)
   (J - 1) / MS(T:R)^2 (Statistics in Medicine 2007, 26:596), infinitely many for fixed readers.

Each modality's own interval rests on its own areas only (Hillis, the same).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.special import chdtrc, fdtrc

from oncotrail.statistics.agreement.reader_study import ReaderStudy
from oncotrail.statistics.agreement.readers_mean import (
    Sampling,
    mean_over_readers,
    t_tail,
    two_sided,
)
from oncotrail.statistics.arrays import Floats, checked_confidence
from oncotrail.statistics.intervals import Difference


@dataclass(frozen=True)
class Components:
    """Mean squares and mean covariances of the areas."""

    modality: float
    modality_by_reader: float | None
    variance: float
    covariance_1: float
    covariance_2: float
    covariance_3: float


@dataclass(frozen=True)
class ModalityArea:
    """A modality's area, the mean over its readers; 0.5 is chance, higher is better."""

    modality: int
    value: float
    low: float | None
    high: float | None
    standard_error: float | None
    df: float | None


@dataclass(frozen=True)
class ModalityDifference:
    """The first modality's area minus the second's, means over readers; numbered from 0.

    Interval and test are None where the denominator of F is 0; not adjusted for several pairs.
    """

    first: int
    second: int
    area: Difference


@dataclass(frozen=True)
class ModalityComparison:
    """The test that all modalities have the same area, and who differs from whom.

    `df2` is infinite for fixed readers, where (I - 1) F is chi-squared. F, p and the intervals of
    differences are None where the denominator is 0 (the same scores twice). p-values of pairs are
    not adjusted for their number.
    """

    f: float | None
    df1: int
    df2: float | None
    p_value: float | None
    areas: tuple[ModalityArea, ...]
    differences: tuple[ModalityDifference, ...]
    components: Components
    sampling: Sampling
    confidence: float
    n: int
    events: int
    readers: int


def compare_modalities(
    study: ReaderStudy, *, sampling: Sampling = "readers and cases", confidence: float = 0.95
) -> ModalityComparison:
    """Obuchowski and Rockette's test, with Hillis' degrees of freedom.

    `sampling` says what the result is to hold for: other "readers and cases" of the same kinds,
    other "cases" read by these readers, or other "readers" of these cases. The first and the last
    need at least 2 readers.

    >>> from oncotrail.statistics.agreement.reader_study import reader_study
    >>> scores = [[[1, 2], [3, 1], [3, 3], [4, 2]], [[2, 2], [1, 1], [3, 2], [4, 4]]]
    >>> found = compare_modalities(reader_study([0, 0, 1, 1], scores), sampling="cases")
    >>> round(found.differences[0].area.value, 4), round(found.p_value, 4)
    (-0.0625, 0.7389)
    """
    checked_confidence(confidence)
    modalities, readers = study.areas.shape
    if modalities < 2:
        raise ValueError("found 1 modality; a comparison needs at least 2.")
    parts = components(study)
    # mean_over_readers also refuses a single reader where readers are sampled.
    areas = tuple(_area(study, one, sampling, confidence) for one in range(modalities))
    denominator, df2 = _denominator(parts, modalities, readers, sampling)
    f = parts.modality / denominator if denominator else None
    return ModalityComparison(
        f=f,
        df1=modalities - 1,
        df2=df2,
        p_value=None if f is None or df2 is None else _p_value(f, modalities - 1, df2),
        areas=areas,
        differences=tuple(
            _difference(study, pair, 2 * denominator / readers, df2, confidence)
            for pair in combinations(range(modalities), 2)
        ),
        components=parts,
        sampling=sampling,
        confidence=confidence,
        n=study.n,
        events=study.events,
        readers=readers,
    )


def components(study: ReaderStudy) -> Components:
    """Mean squares and covariances; a covariance with no pair to average is 0.

    >>> from oncotrail.statistics.agreement.reader_study import reader_study
    >>> found = components(reader_study([0, 0, 1, 1], [[[1], [3], [3], [4]], [[2], [1], [3], [4]]]))
    >>> round(found.modality, 4), found.modality_by_reader
    (0.0078, None)
    """
    areas = study.areas
    modalities, readers = areas.shape
    of_modality, of_reader = areas.mean(axis=1, keepdims=True), areas.mean(axis=0)
    left = areas - of_modality - of_reader + areas.mean()
    df = (modalities - 1) * (readers - 1)
    which, who = np.divmod(np.arange(areas.size), readers)
    same, alike = which[:, None] == which, who[:, None] == who
    return Components(
        modality=readers * float(of_modality.var(ddof=1)) if modalities > 1 else 0.0,
        modality_by_reader=float((left**2).sum()) / df if df else None,
        variance=_mean(study.covariance[same & alike]),
        covariance_1=_mean(study.covariance[~same & alike]),
        covariance_2=_mean(study.covariance[same & ~alike]),
        covariance_3=_mean(study.covariance[~same & ~alike]),
    )


def _denominator(
    parts: Components, modalities: int, readers: int, sampling: Sampling
) -> tuple[float, float | None]:
    shared = max(parts.covariance_2 - parts.covariance_3, 0.0)
    if sampling == "cases":
        value = parts.variance - parts.covariance_1 + (readers - 1) * shared
        return (value if value > 1e-24 else 0.0), math.inf
    between = parts.modality_by_reader or 0.0
    value = between + (readers * shared if sampling == "readers and cases" else 0.0)
    if value <= 1e-24:
        return 0.0, None
    df = (modalities - 1) * (readers - 1)
    return value, df * (value / between) ** 2 if between > 1e-24 else math.inf


def _area(study: ReaderStudy, one: int, sampling: Sampling, confidence: float) -> ModalityArea:
    readers = study.areas.shape[1]
    own = slice(one * readers, (one + 1) * readers)
    found = mean_over_readers(
        study.areas[one], study.covariance[own, own], sampling, confidence, limits=(0.0, 1.0)
    )
    return ModalityArea(one, found.value, found.low, found.high, found.standard_error, found.df)


def _difference(
    study: ReaderStudy,
    pair: tuple[int, int],
    variance: float,
    df: float | None,
    confidence: float,
) -> ModalityDifference:
    value = float(study.areas[pair[0]].mean() - study.areas[pair[1]].mean())
    found = Difference(value, None, None, confidence, study.n, study.events, "Obuchowski-Rockette")
    if variance and df is not None:
        error = math.sqrt(variance)
        half = t_tail(df, confidence) * error
        found = replace(
            found,
            low=max(-1.0, value - half),
            high=min(1.0, value + half),
            p_value=two_sided(value / error, df),
            standard_error=error,
            statistic=value / error,
            degrees_of_freedom=df,
        )
    return ModalityDifference(*pair, found)


def _p_value(f: float, df1: int, df2: float) -> float:
    return float(chdtrc(df1, df1 * f) if math.isinf(df2) else fdtrc(df1, df2, f))


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0
