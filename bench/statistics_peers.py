"""What bench/statistics.py measures: our work and other people's, on the same made tables.

Each `*_ours(n)` makes its table and returns the work to be timed; each `*_peer` says how many
seconds somebody else takes for all of it (None: not installed here); each `*_same(n)` returns both
sides' numbers, which must agree.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np

RESAMPLES = 2_000
Work = Callable[[], object]
Numbers = tuple[np.ndarray, np.ndarray]


def seconds(work: Work, repeats: int) -> float:
    """The median time of so many runs."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


# The cluster bootstrap: eight figures of patients with two images each.


def patients(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The patient, the label and the probability of every image; rounded, so that they tie."""
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(n), 2)
    label = np.repeat(random.random(n) < 0.3, 2).astype(int)
    level = random.normal(size=n)[patient] + random.normal(scale=0.5, size=2 * n) + 1.2 * label
    return patient, label, np.round(1 / (1 + np.exp(1 - level)), 3)


def bootstrap_ours(n: int, method: str = "bca") -> Work:
    """All resamples and all intervals, from ids, labels and probabilities."""
    from oncotrail.statistics.uncertainty.figures import bootstrap_figures
    from oncotrail.statistics.uncertainty.resampling import resample

    patient, label, probability = patients(n)

    def work() -> object:
        drawn = resample(patient, generator=np.random.default_rng(1), number=RESAMPLES)
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


def sklearn_peer(n: int, repeats: int) -> float:
    """Draw patients, take their images, compute: a twentieth of the resamples; then percentiles."""
    _, label, probability = patients(n)
    images = np.arange(2 * n).reshape(n, 2)

    def work() -> dict[str, np.ndarray]:
        random = np.random.default_rng(1)
        found = []
        for _ in range(RESAMPLES // 20):
            rows = images[random.integers(n, size=n)].ravel()
            found.append(sklearn_figures(label[rows], probability[rows]))
        return {name: np.percentile([one[name] for one in found], [2.5, 97.5]) for name in found[0]}

    return 20 * seconds(work, repeats)


def bootstrap_same(n: int) -> Numbers:
    """All eight figures on 50 resamples."""
    from oncotrail.statistics.uncertainty.figures import AT_THRESHOLD, WITHOUT_THRESHOLD
    from oncotrail.statistics.uncertainty.resampling import drawn_rows, resample

    patient, label, probability = patients(n)
    drawn = resample(patient, generator=np.random.default_rng(2), number=50)
    weights = np.vstack([drawn.clusters.weights(counts) for counts in drawn.blocks()])
    theirs = [sklearn_figures(label[rows], probability[rows]) for rows in drawn_rows(drawn)]
    figures = {name: partial(of, threshold=0.5) for name, of in AT_THRESHOLD.items()}
    figures |= WITHOUT_THRESHOLD
    ours = [figures[name](label, probability, weights) for name in theirs[0]]
    return np.array(ours).T, np.array([list(one.values()) for one in theirs])


# DeLong's test of two markers on the same patients.


def two_markers(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and two scores of which the first is the better one."""
    random = np.random.default_rng(8)
    labels = (random.random(n) < 0.4).astype(int)
    shared = random.normal(size=n)
    first = shared + random.normal(size=n) + labels
    return labels, first, shared + random.normal(size=n) + 0.8 * labels


def delong_ours(n: int) -> Work:
    """Difference, interval and p-value, from labels and scores."""
    from oncotrail.statistics.discrimination.area import paired_test

    return partial(paired_test, *two_markers(n))


def pairs_one_by_one(n: int, repeats: int) -> float:
    """Python's loop over the pairs of two outcomes, for a tenth of those with the outcome."""
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

    return 10 * seconds(work, repeats)


def pair_matrix_z(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """The definition in numpy: a matrix of all pairs for each marker."""
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


def pair_matrix(n: int, repeats: int) -> float:
    """All of the work, m x k numbers in memory."""
    return seconds(partial(pair_matrix_z, *two_markers(n)), repeats)


R_DELONG = """
if (!requireNamespace("pROC", quietly = TRUE)) quit(status = 3)
words <- commandArgs(TRUE); x <- read.csv(words[1], header = FALSE)
area <- function(s) pROC::roc(x[[1]], s, levels = c(0, 1), direction = "<", quiet = TRUE)
work <- function() pROC::roc.test(area(x[[2]]), area(x[[3]]), method = "delong")
found <- work(); taken <- replicate(as.integer(words[2]), system.time(work())[["elapsed"]])
cat(median(taken), format(found$statistic, digits = 15))
"""


@cache
def proc_says(n: int, repeats: int) -> tuple[float, float] | None:
    """Seconds of pROC inside R, without its start and the reading of the table, and its z."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "markers.csv"
        np.savetxt(table, np.column_stack(two_markers(n)), delimiter=",", fmt="%.17g")
        words = [program, "-e", R_DELONG, str(table), str(repeats)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if ended.returncode:
        return None
    taken, z = ended.stdout.split()
    return float(taken), float(z)


def proc_peer(n: int, repeats: int) -> float | None:
    """Its curves and its test, in R."""
    said = proc_says(n, 5 * repeats)
    return said and said[0]


def delong_same(n: int) -> Numbers:
    """The z of both, and pROC's where it is here."""
    theirs = [pair_matrix_z(*two_markers(n))]
    said = proc_says(n, 25)
    theirs += [said[1]] if said else []
    return np.full(len(theirs), delong_ours(n)().statistic), np.array(theirs)


# Harrell's C with its standard error; the peers give C alone.


def followed(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times to a tenth of a month, events, and a risk; both tie."""
    random = np.random.default_rng(9)
    risk = np.round(random.normal(size=n), 2)
    time_ = random.exponential(scale=40 * np.exp(-0.7 * risk))
    censored = random.uniform(1, 120, size=n)
    observed = np.maximum(np.round(np.minimum(time_, censored), 1), 0.1)
    return observed, (time_ <= censored).astype(int), risk


def concordance_ours(n: int) -> Work:
    """C, its standard error and interval."""
    from oncotrail.statistics.survival.concordance import concordance

    return partial(concordance, *followed(n))


def lifelines_c(n: int) -> Work:
    """C by lifelines, which takes scores of which higher is better."""
    from lifelines.utils import concordance_index

    times, events, risk = followed(n)
    return partial(concordance_index, times, -risk, events)


def concordance_peer(n: int, repeats: int) -> float:
    """All of the work."""
    return seconds(lifelines_c(n), repeats)


def concordance_same(n: int) -> Numbers:
    """C of both."""
    return np.array(concordance_ours(n)().value), np.array(lifelines_c(n)())


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


def cox_ours(n: int) -> Work:
    """Coefficients, covariance and tests; Efron's ties."""
    from oncotrail.statistics.regression.cox import fit_cox

    return partial(fit_cox, *cohort(n))


def lifelines_cox(n: int) -> Work:
    """The same fit by lifelines, its table made beforehand."""
    import pandas as pd
    from lifelines import CoxPHFitter

    times, events, columns = cohort(n)
    table = pd.DataFrame(columns, columns=[f"x{place}" for place in range(20)])
    table["time"], table["event"] = times, events
    return lambda: CoxPHFitter().fit(table, "time", "event")


def cox_peer(n: int, repeats: int) -> float:
    """All of the work."""
    return seconds(lifelines_cox(n), repeats)


def cox_same(n: int) -> Numbers:
    """Coefficients of both."""
    return cox_ours(n)().coefficients, lifelines_cox(n)().params_.to_numpy()
