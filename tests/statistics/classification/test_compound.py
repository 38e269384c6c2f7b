from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.metrics import f1_score as sklearn_f1
from sklearn.metrics import matthews_corrcoef

from oncotrail.statistics.classification.compound import (
    balanced_accuracy,
    f1_score,
    matthews_correlation,
    negative_likelihood_ratio,
    positive_likelihood_ratio,
)
from oncotrail.statistics.classification.confusion import Confusion
from oncotrail.statistics.classification.figures import figures_of
from oncotrail.statistics.intervals import Estimate
from tests.statistics.oracles import agree, r, reference

Figure = Callable[..., Estimate | None]

CASES = (
    "ordinary",
    "small",
    "rare",
    "common",
    "worse",
    "large",
    "chance",
    "one_each",
    "no_false_alarm",
    "no_miss",
    "never_right",
    "perfect",
    "always_wrong",
    "nobody_called",
    "everybody_called",
    "only_events",
    "only_others",
    "two_patients",
)
every_case = pytest.mark.parametrize("case", CASES)
cell = st.integers(0, 40)
tables = st.builds(Confusion, cell, cell, cell, cell).filter(lambda counts: counts.n > 0)


def said(case: str) -> dict[str, Any]:
    return reference("classification")["figures"][case]


def counts_of(case: str) -> Confusion:
    return Confusion(*said(case)["counts"])


def ends(estimate: Estimate) -> tuple[float, float]:
    return estimate.low, estimate.high


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("classification")["figures"]) == set(CASES)


@every_case
def test_balanced_accuracy_agrees_with_r(case: str) -> None:
    ours, theirs = balanced_accuracy(counts_of(case)), said(case)
    value = None if ours is None else ours.value
    caret = r("classification", "caret::confusionMatrix")
    agree(balanced_accuracy, caret, value, theirs["balanced_accuracy"])
    if ours is None:
        assert theirs["balanced_wilson"] is None
        return
    # Zou and Donner's formula in R, on the ends of R's intervals.
    oracle = r("classification", "prop.test")
    agree(balanced_accuracy, oracle, ends(ours), theirs["balanced_wilson"])
    exact = balanced_accuracy(counts_of(case), 0.9, "exact")
    oracle = r("classification", "binom.test")
    agree(balanced_accuracy, oracle, ends(exact), theirs["balanced_exact"])
    assert (ours.method, exact.method) == ("MOVER, Wilson", "MOVER, Clopper-Pearson")


@every_case
def test_f1_agrees_with_r(case: str) -> None:
    ours, theirs = f1_score(counts_of(case)), said(case)
    if ours is None:
        assert theirs["f1_wilson"] is None
        return
    if theirs["f1"] is None:  # caret has none without a true positive; ours is then 0
        assert (counts_of(case).true_positive, ours.value) == (0, 0)
    else:
        agree(f1_score, r("classification", "caret::confusionMatrix"), ours.value, theirs["f1"])
    agree(f1_score, r("classification", "prop.test"), ends(ours), theirs["f1_wilson"])
    exact = f1_score(counts_of(case), 0.9, "exact")
    agree(f1_score, r("classification", "binom.test"), ends(exact), theirs["f1_exact"])


@every_case
def test_matthews_correlation_agrees_with_r(case: str) -> None:
    ours, theirs = matthews_correlation(counts_of(case)), said(case)
    value = None if ours is None else ours.value
    agree(matthews_correlation, r("classification", "cor"), value, theirs["mcc"])
    if ours is None:
        return
    oracle = r("classification", "deriv")
    if abs(ours.value) < 1:
        assert ours.method == "Fisher"
        agree(matthews_correlation, oracle, ends(ours), theirs["mcc_interval"])
    else:
        assert ours.method == "Fisher, 1/2 added"
        low, high = theirs["mcc_half"]
        expected = min(ours.value, low), max(ours.value, high)
        agree(matthews_correlation, oracle, ends(ours), expected)


@every_case
@pytest.mark.parametrize(
    ("figure", "name"),
    [(positive_likelihood_ratio, "positive"), (negative_likelihood_ratio, "negative")],
)
def test_likelihood_ratios_agree_with_r(case: str, figure: Figure, name: str) -> None:
    ours, theirs = figure(counts_of(case)), said(case)
    value = None if ours is None else ours.value
    oracle = r("classification", "epiR::epi.tests")
    ratios = theirs["ratios"] or {name: [None] * 3}
    agree(figure, oracle, value, ratios[name][0])
    if ours is None:
        return
    if ours.method == "Simel, log":
        agree(figure, oracle, ends(ours), ratios[name][1:])
    else:
        assert ours.method == "Simel, log, 1/2 added"
        _, low, high = theirs["ratios_half"][name]
        agree(figure, oracle, ends(ours), (min(ours.value, low), max(ours.value, high)))


def test_f1_of_nobody_called_and_nobody_ill_is_undefined() -> None:
    assert f1_score(Confusion(0, 0, 5, 0)) is None


def rows(counts: Confusion) -> tuple[list[int], list[int]]:
    kinds = (1, 1), (0, 1), (0, 0), (1, 0)  # happened, called
    cells = (
        counts.true_positive,
        counts.false_positive,
        counts.true_negative,
        counts.false_negative,
    )
    return (
        [kind[0] for kind, times in zip(kinds, cells, strict=True) for _ in range(times)],
        [kind[1] for kind, times in zip(kinds, cells, strict=True) for _ in range(times)],
    )


@given(tables)
def test_agree_with_scikit_learn(counts: Confusion) -> None:
    happened, called = rows(counts)
    f1, mcc = f1_score(counts), matthews_correlation(counts)
    if f1 is not None:
        theirs = sklearn_f1(happened, called, zero_division=0)
        agree(f1_score, f"sklearn.metrics.f1_score {sklearn_version}", f1.value, theirs)
    if mcc is not None:
        oracle = f"sklearn.metrics.matthews_corrcoef {sklearn_version}"
        agree(matthews_correlation, oracle, mcc.value, matthews_corrcoef(happened, called))


@given(tables)
def test_every_interval_holds_its_figure_and_gives_no_certainty(counts: Confusion) -> None:
    found = figures_of(counts, threshold=0.5)
    bounds = {"mcc": (-1, 1), "positive_likelihood_ratio": (0, np.inf)}
    bounds["negative_likelihood_ratio"] = bounds["positive_likelihood_ratio"]
    for name in ("accuracy", "balanced_accuracy", "f1", *bounds):
        estimate = getattr(found, name)
        if estimate is not None:
            lowest, highest = bounds.get(name, (0, 1))
            assert lowest <= estimate.low, name
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9, name
            assert estimate.high <= highest, name
            assert estimate.low < estimate.high, name


@given(tables)
def test_swapping_the_outcome_swaps_the_figures(counts: Confusion) -> None:
    """No event is called what an event was called before: sensitivity is then specificity."""
    mirrored = Confusion(
        true_positive=counts.true_negative,
        false_positive=counts.false_negative,
        true_negative=counts.true_positive,
        false_negative=counts.false_positive,
    )
    for figure in (balanced_accuracy, matthews_correlation):
        one, other = figure(counts), figure(mirrored)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.value, *ends(one)) == pytest.approx((other.value, *ends(other)), abs=1e-9)


@given(tables)
def test_the_wrong_calls_turn_the_correlation_round(counts: Confusion) -> None:
    turned = Confusion(
        true_positive=counts.false_negative,
        false_positive=counts.true_negative,
        true_negative=counts.false_positive,
        false_negative=counts.true_positive,
    )
    one, other = matthews_correlation(counts), matthews_correlation(turned)
    assume(one is not None)
    assert (one.value, one.low) == pytest.approx((-other.value, -other.high), abs=1e-9)
    plus, minus = positive_likelihood_ratio(counts), negative_likelihood_ratio(turned)
    assert plus == minus


def test_each_figure_says_what_it_rests_on() -> None:
    counts = Confusion(8, 4, 16, 2)
    assert (balanced_accuracy(counts).n, balanced_accuracy(counts).events) == (30, 10)
    assert (f1_score(counts).n, f1_score(counts).events) == (14, 10)
    assert (matthews_correlation(counts).n, positive_likelihood_ratio(counts).n) == (30, 30)


def test_the_correlations_interval_covers_as_often_as_it_says() -> None:
    """Sensitivity 0.8 and specificity 0.7 at a prevalence of 0.4, 150 patients."""
    shares = np.array([0.32, 0.18, 0.42, 0.08])
    truth = matthews_correlation(Confusion(32, 18, 42, 8)).value
    drawn = np.random.default_rng(7).multinomial(150, shares, size=2000)
    found = [matthews_correlation(Confusion(*map(int, each))) for each in drawn]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.935 < held < 0.965
