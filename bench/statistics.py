"""How fast the statistics are, as ratios to a peer in the same run, and how time and memory grow.

    .venv/bin/python bench/statistics.py [--only NAME ...] [--repeats 5]

ours      seconds, the median of the repeats
peer      seconds of the peer for the same work; "scaled" where it did a part of it, since all of
          it would take minutes
ratio     peer : ours; above 1 we are faster
growth    our time at 10 n over that at n: 10 is linear
memory    the peak of our own arrays at n and at 10 n (tracemalloc), and their ratio

Before anything is timed, both sides are asked for the same numbers. Everything runs on one core.
"""

from __future__ import annotations

import os
import sys

sys.path.pop(0)  # our folder, where this file would hide the standard library's `statistics`
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read once, when numpy is imported

# ruff: noqa: E402
import argparse
import platform
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from statistics import median

import numpy as np

RESAMPLES = 2_000


@dataclass(frozen=True)
class Benchmark:
    """One statistic: our work at n and 10 n, and what a peer takes for the same.

    `ours(n)` prepares the data and returns the work to be timed. `peer(n)` does too, with the share
    of the work that it does (1: all). `check(n)` raises where the two sides disagree. `required`
    holds the limits that we set ourselves: seconds of ours at n, and the ratio.
    """

    title: str
    n: int
    ours: Callable[[int], Callable[[], object]]
    peer: Callable[[int], tuple[Callable[[], object], float]] | None = None
    peer_name: str = ""
    check: Callable[[int], None] | None = None
    most_seconds: float | None = None
    least_ratio: float | None = None


def main() -> None:
    """Run the named benchmarks, or all; fail where one misses its own limits."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    words.add_argument("--repeats", type=int, default=5)
    asked = words.parse_args()
    packages = ("numpy", "scipy", "scikit-learn", "lifelines")
    named = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()}, {named}; 1 thread; median of {asked.repeats}")
    missed = [name for name in asked.only if not measured(name, BENCHMARKS[name], asked.repeats)]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def measured(name: str, benchmark: Benchmark, repeats: int) -> bool:
    """Print one benchmark's figures; True where it keeps its limits."""
    if benchmark.check:
        benchmark.check(benchmark.n)
    print(f"\n{name}: {benchmark.title}")
    work = benchmark.ours(benchmark.n)
    ours = seconds(work, repeats)
    print(f"  ours    {ours:9.4f} s   n = {benchmark.n:,}{_limit(benchmark.most_seconds, 's')}")
    kept = benchmark.most_seconds is None or ours <= benchmark.most_seconds
    if benchmark.peer:
        theirs, share = benchmark.peer(benchmark.n)
        peer = seconds(theirs, repeats) / share
        scaled = "" if share == 1 else f", scaled from {share:.1%} of the work"
        least = _limit(benchmark.least_ratio, "times", "at least")
        print(f"  peer    {peer:9.4f} s   {benchmark.peer_name}{scaled}")
        print(f"  ratio   {peer / ours:9.1f}{least}")
        kept &= benchmark.least_ratio is None or peer / ours >= benchmark.least_ratio
    larger = benchmark.ours(10 * benchmark.n)
    longer = seconds(larger, max(1, repeats // 2))
    print(f"  growth  {longer / ours:9.1f}     {longer:.4f} s at 10 n")
    small, large = peak(work), peak(larger)
    growth = large / small
    print(f"  memory  {growth:9.1f}     {small / 2**20:.1f} MiB at n, {large / 2**20:.1f} at 10 n")
    return kept


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median time of so many runs."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def peak(work: Callable[[], object]) -> int:
    """Bytes that the work held at most, beyond its data."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _limit(limit: float | None, unit: str, word: str = "at most") -> str:
    return "" if limit is None else f"   (asked: {word} {limit:g} {unit})"


# The cluster bootstrap: eight figures of patients with two images each.


def patients(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The patient, the label and the probability of every image; rounded, so that they tie."""
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(n), 2)
    label = np.repeat(random.random(n) < 0.3, 2).astype(int)
    level = random.normal(size=n)[patient] + random.normal(scale=0.5, size=2 * n) + 1.2 * label
    return patient, label, np.round(1 / (1 + np.exp(1 - level)), 3)


def bootstrap_ours(n: int, number: int = RESAMPLES, method: str = "bca") -> Callable[[], object]:
    """All resamples and all intervals, from ids, labels and probabilities."""
    from oncotrail.statistics.uncertainty.figures import bootstrap_figures
    from oncotrail.statistics.uncertainty.resampling import resample

    patient, label, probability = patients(n)

    def work() -> object:
        drawn = resample(patient, generator=np.random.default_rng(1), number=number)
        return bootstrap_figures(label, probability, drawn, threshold=0.5, method=method)

    return work


def sklearn_figures(label: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """The same eight, as one would write them."""
    from sklearn import metrics

    called = probability >= 0.5
    return {
        "auc": metrics.roc_auc_score(label, probability),
        "average_precision": metrics.average_precision_score(label, probability),
        "brier": metrics.brier_score_loss(label, probability),
        "accuracy": metrics.accuracy_score(label, called),
        "sensitivity": metrics.recall_score(label, called),
        "specificity": metrics.recall_score(label, called, pos_label=0),
        "f1": metrics.f1_score(label, called),
        "mcc": metrics.matthews_corrcoef(label, called),
    }


def sklearn_loop(n: int, number: int) -> Callable[[], dict[str, np.ndarray]]:
    """Draw patients, take their images, compute, `number` times; then percentiles."""
    _, label, probability = patients(n)
    images = np.arange(2 * n).reshape(n, 2)

    def work() -> dict[str, np.ndarray]:
        random = np.random.default_rng(1)
        found = []
        for _ in range(number):
            rows = images[random.integers(n, size=n)].ravel()
            found.append(sklearn_figures(label[rows], probability[rows]))
        return {name: np.percentile([one[name] for one in found], [2.5, 97.5]) for name in found[0]}

    return work


def bootstrap_peer(n: int) -> tuple[Callable[[], object], float]:
    """A twentieth of the resamples; each costs the same."""
    number = RESAMPLES // 20
    return sklearn_loop(n, number), number / RESAMPLES


def bootstrap_check(n: int) -> None:
    """The figures agree to rounding on every one of 50 resamples."""
    from oncotrail.statistics.uncertainty.figures import AT_THRESHOLD, WITHOUT_THRESHOLD
    from oncotrail.statistics.uncertainty.resampling import resample

    patient, label, probability = patients(n)
    drawn = resample(patient, generator=np.random.default_rng(2), number=50)
    weights = np.vstack([drawn.clusters.weights(counts) for counts in drawn.blocks()])
    each = [np.repeat(np.arange(2 * n), row.astype(int)) for row in weights]
    theirs = [sklearn_figures(label[rows], probability[rows]) for rows in each]
    for name in theirs[0]:
        if name in AT_THRESHOLD:
            ours = AT_THRESHOLD[name](label, probability, weights, threshold=0.5)
        else:
            ours = WITHOUT_THRESHOLD[name](label, probability, weights)
        expected = np.array([one[name] for one in theirs])
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12, err_msg=name)


# DeLong's test of two markers on the same patients.


def two_markers(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and two scores of which the first is the better one."""
    random = np.random.default_rng(8)
    labels = (random.random(n) < 0.4).astype(int)
    shared = random.normal(size=n)
    first = shared + random.normal(size=n) + labels
    return labels, first, shared + random.normal(size=n) + 0.8 * labels


def delong_ours(n: int) -> Callable[[], object]:
    """Difference, interval and p-value, from labels and scores."""
    from oncotrail.statistics.discrimination.area import paired_test

    return partial(paired_test, *two_markers(n))


def pair_counting_z(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """The definition as one would write it: a matrix of all pairs for each marker."""
    groups = []
    for score in (first, second):
        apart = score[labels == 1][:, None] - score[labels == 0][None, :]
        wins = (apart > 0) + 0.5 * (apart == 0)
        groups.append((wins.mean(axis=1), wins.mean(axis=0)))
    (positive_1, negative_1), (positive_2, negative_2) = groups
    spread = np.cov(positive_1, positive_2) / positive_1.size
    spread = spread + np.cov(negative_1, negative_2) / negative_1.size
    error = np.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    return float((positive_1.mean() - positive_2.mean()) / error)


def pair_counting(n: int) -> tuple[Callable[[], object], float]:
    """All of the work."""
    return partial(pair_counting_z, *two_markers(n)), 1.0


def pair_loop(n: int) -> tuple[Callable[[], object], float]:
    """The same, pair by pair without arrays, for a tenth of the patients with the outcome."""
    labels, first, second = two_markers(n)

    def work() -> float:
        total = 0.0
        for score in (first.tolist(), second.tolist()):
            events = [s for s, y in zip(score, labels, strict=True) if y][::10]
            others = [s for s, y in zip(score, labels, strict=True) if not y]
            for event in events:
                for other in others:
                    total += (event > other) + 0.5 * (event == other)
        return total

    return work, 0.1


def delong_check(n: int) -> None:
    """Both give the same z."""
    np.testing.assert_allclose(delong_ours(n)().z, pair_counting_z(*two_markers(n)), rtol=1e-9)


# Harrell's C with its standard error; the peers give C alone.


def followed(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times to a tenth of a month, events, and a risk; both tie."""
    random = np.random.default_rng(9)
    risk = np.round(random.normal(size=n), 2)
    time_ = random.exponential(scale=40 * np.exp(-0.7 * risk))
    censored = random.uniform(1, 120, size=n)
    observed = np.maximum(np.round(np.minimum(time_, censored), 1), 0.1)
    return observed, (time_ <= censored).astype(int), risk


def concordance_ours(n: int) -> Callable[[], object]:
    """C, its standard error and interval."""
    from oncotrail.statistics.survival.concordance import concordance

    return partial(concordance, *followed(n))


def concordance_peer(n: int) -> tuple[Callable[[], object], float]:
    """lifelines, which takes scores of which higher is better."""
    from lifelines.utils import concordance_index

    times, events, risk = followed(n)
    return partial(concordance_index, times, -risk, events), 1.0


def concordance_check(n: int) -> None:
    """Both give the same C."""
    theirs = concordance_peer(n)[0]()
    np.testing.assert_allclose(concordance_ours(n)().value, theirs, rtol=1e-9)


# The Cox model.


def cohort(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times in whole days, events, and 20 covariates."""
    random = np.random.default_rng(10)
    columns = random.normal(size=(n, 20))
    risk = columns @ np.linspace(-0.4, 0.4, 20)
    time_ = random.exponential(scale=1000 * np.exp(-risk))
    censored = random.uniform(100, 3000, size=n)
    observed = np.ceil(np.minimum(time_, censored))
    return observed, (time_ <= censored).astype(int), columns


def cox_ours(n: int) -> Callable[[], object]:
    """Coefficients, covariance and tests; Efron's ties."""
    from oncotrail.statistics.regression.cox import fit_cox

    return partial(fit_cox, *cohort(n))


def cox_peer(n: int) -> tuple[Callable[[], object], float]:
    """Lifelines' fit of the same, its table made beforehand."""
    import pandas as pd
    from lifelines import CoxPHFitter

    times, events, columns = cohort(n)
    table = pd.DataFrame(columns, columns=[f"x{place}" for place in range(20)])
    table["time"], table["event"] = times, events
    return lambda: CoxPHFitter().fit(table, "time", "event"), 1.0


def cox_check(n: int) -> None:
    """Both give the same coefficients, as far as lifelines iterates."""
    theirs = cox_peer(n)[0]().params_.to_numpy()
    np.testing.assert_allclose(cox_ours(n)().coefficients, theirs, atol=1e-4)


BENCHMARKS = {
    "bootstrap": Benchmark(
        title="BCa intervals of eight figures, 2,000 resamples of patients with two images each",
        n=700,
        ours=bootstrap_ours,
        peer=bootstrap_peer,
        peer_name="a loop over scikit-learn's metrics, percentiles only",
        check=bootstrap_check,
        most_seconds=1.0,
        least_ratio=30.0,
    ),
    "bootstrap_percentile": Benchmark(
        title="the same with percentile intervals, which need no jackknife",
        n=700,
        ours=partial(bootstrap_ours, method="percentile"),
        most_seconds=1.0,
    ),
    "delong": Benchmark(
        title="DeLong's test of two markers",
        n=2_000,
        ours=delong_ours,
        peer=pair_loop,
        peer_name="pairs counted one by one",
        check=delong_check,
        least_ratio=50.0,
    ),
    "delong_matrix": Benchmark(
        title="the same beside a matrix of all pairs, which takes m x n memory",
        n=2_000,
        ours=delong_ours,
        peer=pair_counting,
        peer_name="pairs counted in numpy",
        check=delong_check,
    ),
    "delong_large": Benchmark(
        title="DeLong's test of two markers, many patients",
        n=100_000,
        ours=delong_ours,
        most_seconds=0.5,
    ),
    "concordance": Benchmark(
        title="Harrell's C with its standard error",
        n=50_000,
        ours=concordance_ours,
        peer=concordance_peer,
        peer_name="lifelines, C alone",
        check=concordance_check,
        most_seconds=1.0,
        least_ratio=1.0,
    ),
    "cox": Benchmark(
        title="a Cox model of 20 covariates, tied times",
        n=20_000,
        ours=cox_ours,
        peer=cox_peer,
        peer_name="lifelines",
        check=cox_check,
        least_ratio=1.0,
    ),
}


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
