"""R's boot draws the patients; ours gets the same draws, and must read off the same intervals."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from oncotrail.statistics.arrays import Floats, Integers, Undefined
from oncotrail.statistics.uncertainty import metrics, threshold_metrics
from oncotrail.statistics.uncertainty.bootstrap import (
    Method,
    bootstrap,
    bootstrap_together,
    paired_difference,
)
from oncotrail.statistics.uncertainty.endpoints import (
    basic_ends,
    bca_ends,
    defined_replicates,
    percentile_band,
    percentile_ends,
)
from oncotrail.statistics.uncertainty.figures import (
    AT_THRESHOLD,
    WITHOUT_THRESHOLD,
    bootstrap_figures,
)
from oncotrail.statistics.uncertainty.replication import (
    Statistic,
    influence,
    on_rows,
    replicates,
)
from oncotrail.statistics.uncertainty.resampling import (
    Resamples,
    clusters,
    given_resamples,
    resample,
)
from tests.statistics.oracles import agree, r, reference

TABLES = ("images", "ties", "outcome", "site")
BOOT, CI = r("uncertainty", "boot::boot"), r("uncertainty", "boot::boot.ci")
HALF = f"definition: {CI} but ties counted half"
every_table = pytest.mark.parametrize("name", TABLES)
every_method = pytest.mark.parametrize("method", ["percentile", "basic", "bca"])


def case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = reference("uncertainty")["bootstraps"][name]
    return found


def drawn_by_r(name: str) -> Resamples:
    found = case(name)
    counts = [[int(times) for times in row] for row in found["resamples"]]
    patient = np.array(found["table"]["patient"])
    strata = None if found["strata"] is None else np.array(found["strata"])[patient - 1]
    return given_resamples(patient, counts, strata)


def statistics_of(name: str) -> dict[str, Statistic]:
    table = case(name)["table"]
    labels, scores, other = (np.array(table[key]) for key in ("label", "score", "other"))
    found: dict[str, Statistic] = {
        key: partial(of, labels, scores) for key, of in WITHOUT_THRESHOLD.items()
    }
    found |= {key: partial(of, labels, scores, threshold=0.5) for key, of in AT_THRESHOLD.items()}
    for key in ("auc", "brier"):
        first, second = (partial(WITHOUT_THRESHOLD[key], labels, s) for s in (scores, other))
        found[f"difference_{key}"] = lambda w, one=first, two=second: one(w) - two(w)
    found["median"] = on_rows(lambda rows: float(np.median(scores[rows])))
    return found


def ends(found: Any) -> tuple[Any, Any]:
    return found.low, found.high


def test_every_figure_of_r_is_compared() -> None:
    assert set(reference("uncertainty")["bootstraps"]) == set(TABLES)
    for name in TABLES:
        assert set(case(name)["figures"]) == set(statistics_of(name))


@every_table
class TestAgainstBoot:
    def test_figures_and_their_spread(self, name: str) -> None:
        ours = bootstrap_together(statistics_of(name), drawn_by_r(name), method="percentile")
        for key, theirs in case(name)["figures"].items():
            found = ours[key]
            agree(bootstrap_together, BOOT, found.value, theirs["value"], 1e-12)
            assert found.undefined == theirs["undefined"]
            if "bias" in theirs:
                spread = found.standard_error, found.bias
                agree(bootstrap_together, BOOT, spread, (theirs["standard_error"], theirs["bias"]))

    def test_percentile_and_basic(self, name: str) -> None:
        level = case(name)["confidence"]
        for method in ("percentile", "basic"):
            ours = bootstrap_together(
                statistics_of(name), drawn_by_r(name), confidence=level, method=method
            )
            for key, theirs in case(name)["figures"].items():
                if method in theirs:
                    agree(bootstrap_together, CI, ends(ours[key]), theirs[method], 1e-10)

    def test_bca(self, name: str) -> None:
        """Where no replicate equals the estimate, as boot; elsewhere with ties counted half."""
        level = case(name)["confidence"]
        ours = bootstrap_together(statistics_of(name), drawn_by_r(name), confidence=level)
        untied = 0
        for key, theirs in case(name)["figures"].items():
            if "bca" not in theirs:
                assert ours[key].low is None
                continue
            agree(bootstrap_together, HALF, ends(ours[key]), theirs["bca_half"], 1e-10)
            if theirs["tied"] == 0:
                untied += 1
                agree(bootstrap_together, CI, ends(ours[key]), theirs["bca"], 1e-10)
        assert untied >= 4

    def test_what_each_patient_contributes(self, name: str) -> None:
        statistics, rows = statistics_of(name), drawn_by_r(name).clusters
        ours = influence(statistics, rows)
        for key, theirs in case(name)["figures"].items():
            if "influence" in theirs:
                oracle = r("uncertainty", "boot::empinf")
                agree(influence, oracle, ours[key], theirs["influence"], 1e-10)

    def test_figures_with_their_events(self, name: str) -> None:
        table, theirs = case(name)["table"], case(name)["figures"]
        ours = bootstrap_figures(
            table["label"],
            table["score"],
            drawn_by_r(name),
            threshold=0.5,
            names=[*WITHOUT_THRESHOLD, *AT_THRESHOLD],
            confidence=case(name)["confidence"],
            method="percentile",
        )
        for key, found in ours.items():
            agree(bootstrap_figures, BOOT, found.value, theirs[key]["value"], 1e-12)
            if "percentile" in theirs[key]:
                agree(bootstrap_figures, CI, ends(found), theirs[key]["percentile"], 1e-10)
            assert found.events == sum(table["outcome"])
            assert (found.n, found.rows) == (len(table["outcome"]), len(table["label"]))


@every_method
def test_the_mean_of_real_counts(method: Method) -> None:
    theirs = reference("uncertainty")["mean"]
    values = np.array(theirs["values"], dtype=float)
    counts = [[int(times) for times in row] for row in theirs["resamples"]]
    drawn = given_resamples(range(values.size), counts)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1))

    by_rows = on_rows(lambda rows: float(values[rows].mean()))
    both = replicates({"weights": mean, "rows": by_rows}, drawn)
    agree(on_rows, "definition: weights", both["rows"], both["weights"])
    agree(replicates, BOOT, both["weights"].mean(), theirs["replicates_near"])
    found = bootstrap(mean, drawn, method=method)
    expected = theirs["bca_half" if method == "bca" else method]
    agree(bootstrap, HALF if method == "bca" else CI, ends(found), expected, 1e-10)
    contributed = (values - values.mean()) / values.size
    ours = influence({"mean": mean}, drawn.clusters)["mean"]
    agree(influence, "definition: (x - mean) / n", ours, contributed)
    of = {
        "percentile": lambda: (percentile_ends, percentile_ends(both["weights"], 0.95)),
        "basic": lambda: (basic_ends, basic_ends(values.mean(), both["weights"], 0.95)),
        "bca": lambda: (bca_ends, bca_ends(values.mean(), both["weights"], contributed, 0.95)),
    }
    function, read = of[method]()
    agree(function, HALF if method == "bca" else CI, ends(read), expected, 1e-10)


@every_table
def test_paired_differences_are_on_the_same_resamples(name: str) -> None:
    table, statistics = case(name)["table"], statistics_of(name)
    other = partial(metrics.auc, table["label"], table["other"])
    found = paired_difference(
        statistics["auc"], other, drawn_by_r(name), confidence=case(name)["confidence"]
    )
    theirs = case(name)["figures"]["difference_auc"]
    agree(paired_difference, BOOT, found.value, theirs["value"], 1e-12)
    agree(paired_difference, HALF, ends(found), theirs["bca_half"], 1e-10)
    if theirs["tied"] == 0:
        agree(paired_difference, CI, ends(found), theirs["bca"], 1e-10)


def test_above_2000_patients_groups_contribute_the_sum_of_their_patients() -> None:
    random = np.random.default_rng(4)
    values, stratum = random.exponential(size=4_500), random.integers(2, size=4_500)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1))

    each = (values - values.mean()) / values.size
    ours = influence({"mean": mean}, clusters(range(4_500)))["mean"]
    assert ours.size == 1_500
    sums = np.bincount(np.arange(4_500) % 1_500, weights=each)
    agree(influence, "definition: groups of patients", ours, sums)
    alone, grouped = ((c**3).sum() / (6 * (c**2).sum() ** 1.5) for c in (each, ours))
    assert grouped == pytest.approx(alone, abs=1e-3)
    in_strata = influence({"mean": mean}, clusters(range(4_500), stratum))["mean"]
    assert 1_490 < in_strata.size <= 1_500


def test_a_stratum_of_two_is_left_out_patient_by_patient_beside_groups() -> None:
    stratum = np.repeat([0, 1], [4_000, 2])
    values = np.arange(4_002.0)

    def total(weights: Floats) -> Floats:
        parts = [weights[:, stratum == k] for k in (0, 1)]
        sums = [part @ values[stratum == k] for k, part in enumerate(parts)]
        return np.asarray(sum(s / part.sum(axis=1) for s, part in zip(sums, parts, strict=True)))

    ours = influence({"total": total}, clusters(range(4_002), stratum))["total"]
    assert ours.size == 1_333 + 2
    agree(influence, "definition: (x - mean) / n", ours[-2:], [-0.25, 0.25])


def sample(seed: int, patients: int = 30) -> tuple[Integers, Integers, Floats]:
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), random.integers(1, 4, patients))
    labels = (np.arange(patients) % 3 == 0).astype(int)[patient]
    return patient, labels, random.normal(labels * 0.8, 1).round(1)


@every_method
@given(seed=st.integers(0, 2**32))
def test_low_is_below_high_and_within_the_range(method: Method, seed: int) -> None:
    patient, labels, scores = sample(seed)
    random = np.random.default_rng(seed)
    drawn = resample(patient, strata=labels, generator=random, number=100)
    found = bootstrap(partial(metrics.auc, labels, scores), drawn, method=method)
    if found.low is None:
        assert "resamples do not differ" in found.method
        return
    assert found.low <= found.high
    if method != "basic":
        assert 0 <= found.low <= found.high <= 1


@every_method
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(method: Method, seed: int) -> None:
    patient, labels, scores = sample(seed)
    order = np.random.default_rng(seed).permutation(patient.size)
    found = [
        bootstrap(
            partial(metrics.auc, labels[rows], scores[rows]),
            resample(patient[rows], generator=np.random.default_rng(seed), number=60),
            method=method,
            most_undefined=0.5,
        )
        for rows in (np.arange(patient.size), order)
    ]
    assert ends(found[0]) == pytest.approx(ends(found[1]))


@given(seed=st.integers(0, 2**32))
def test_ten_times_a_figure_has_an_interval_ten_times_as_wide(seed: int) -> None:
    patient, labels, scores = sample(seed)
    drawn = resample(patient, strata=labels, generator=np.random.default_rng(seed), number=60)
    area = partial(metrics.auc, labels, scores)
    for method in ("percentile", "bca"):
        plain = bootstrap(area, drawn, method=method)
        scaled = bootstrap(lambda weights: 10 * area(weights) - 3, drawn, method=method)
        if plain.low is not None:
            assert scaled.low == pytest.approx(10 * plain.low - 3)
            assert scaled.high == pytest.approx(10 * plain.high - 3)


def test_swapping_the_models_mirrors_the_difference() -> None:
    patient, labels, scores = sample(2)
    other = np.random.default_rng(9).normal(size=scores.size)
    drawn = resample(patient, generator=np.random.default_rng(1), number=300)
    one, two = (partial(metrics.auc, labels, s) for s in (scores, other))
    forth, back = paired_difference(one, two, drawn), paired_difference(two, one, drawn)
    assert ends(back) == pytest.approx((-forth.high, -forth.low))


def test_images_drawn_alone_would_pretend_to_more_patients() -> None:
    """Four copies of each patient add nothing: by patient the interval stays as wide."""
    random = np.random.default_rng(6)
    labels = np.repeat([0, 1], [40, 25])
    scores = random.normal(labels * 0.7)
    area = partial(metrics.auc, np.repeat(labels, 4), np.repeat(scores, 4))

    def width(ids: Integers) -> float:
        drawn = resample(ids, generator=np.random.default_rng(1), number=1000)
        found = bootstrap(area, drawn, method="percentile")
        assert found.high is not None
        assert found.low is not None
        return found.high - found.low

    by_patient, by_image = width(np.repeat(np.arange(65), 4)), width(np.arange(260))
    assert by_patient == pytest.approx(2 * by_image, rel=0.15)


@every_method
@pytest.mark.parametrize("scores", [[1, 1, 1, 1, 2, 2, 2, 2], [1] * 8])
def test_a_perfect_or_constant_marker_has_no_interval(method: Method, scores: list[int]) -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    drawn = resample(range(8), strata=labels, generator=np.random.default_rng(1), number=50)
    found = bootstrap(partial(metrics.auc, labels, scores), drawn, method=method)
    assert found.value in (0.5, 1.0)
    assert ends(found) == (None, None)
    assert found.method == f"{method}: the resamples do not differ"


def test_a_figure_that_is_undefined_on_these_patients_is_none() -> None:
    drawn = resample(range(4), generator=np.random.default_rng(1), number=50)
    ppv = partial(threshold_metrics.ppv, [0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], threshold=0.9)
    found = bootstrap(ppv, drawn)
    assert (found.value, found.low, found.high, found.standard_error, found.bias) == (None,) * 5
    assert (found.undefined, found.method) == (50, "undefined")


def test_bca_is_undefined_where_one_patient_makes_the_figure() -> None:
    labels, scores = [1, 0, 0, 1] * 5, np.linspace(0.1, 0.4, 20)
    ppv = partial(
        threshold_metrics.ppv, labels, np.where(np.arange(20) < 1, 0.9, 0.1), threshold=0.5
    )
    brier = partial(metrics.brier, labels, scores)
    drawn = resample(range(20), generator=np.random.default_rng(1), number=200)
    found = bootstrap(lambda w: ppv(w) * brier(w), drawn, most_undefined=0.5)
    assert (found.low, found.method) == (None, "BCa: undefined, use percentile")
    assert found.value is not None


def test_undefined_resamples_are_counted() -> None:
    labels = [1, 1, 1, 0, 0, 0, 0]
    scores = [0.9, 0.7, 0.2, 0.5, 0.1, 0.8, 0.3]
    drawn = resample(range(7), generator=np.random.default_rng(1), number=1000)
    area = partial(metrics.auc, labels, scores)
    found = bootstrap(area, drawn)
    counted = np.isnan(replicates({"auc": area}, drawn)["auc"]).sum()
    assert found.undefined == counted > 0
    assert found.resamples == 1000


def test_many_undefined_resamples_leave_no_interval_and_the_other_figures_theirs() -> None:
    labels, scores = [1, 0, 0, 0, 0], [0.9, 0.1, 0.2, 0.95, 0.4]
    drawn = resample(range(5), generator=np.random.default_rng(1), number=200)
    both = {key: partial(WITHOUT_THRESHOLD[key], labels, scores) for key in ("auc", "brier")}
    found = bootstrap_together(both, drawn)
    area = found["auc"]
    assert area.value == 0.75
    assert (area.low, area.high, area.standard_error, area.bias) == (None,) * 4
    assert area.method.startswith(f"bca: undefined in {area.undefined} of 200 resamples; expected")
    assert area.undefined > 50
    assert found["brier"].low is not None
    permitted = bootstrap(both["auc"], drawn, method="percentile", most_undefined=1)
    assert permitted.low is not None
    assert permitted.undefined == area.undefined


def test_defined_replicates_are_the_numbers_among_them() -> None:
    replicated = np.array([np.nan, *range(98), np.inf])
    kept = defined_replicates(replicated, 0.95)
    agree(defined_replicates, "definition: those that are finite", kept, range(98))
    with pytest.raises(
        Undefined, match="undefined in 2 of 100 resamples; expected at most a share"
    ):
        defined_replicates(replicated, 0.95, most_undefined=0.01)
    with pytest.raises(Undefined, match="undefined in 39 of 39 resamples"):
        defined_replicates(np.full(39, np.nan), 0.95, most_undefined=1)


def test_the_band_of_several_columns_is_each_ones_ends() -> None:
    theirs = reference("uncertainty")["mean"]
    values = np.array(theirs["values"], dtype=float)
    counts = np.array([[int(times) for times in row] for row in theirs["resamples"]])
    columns = np.column_stack([counts @ values / values.size, counts @ values])
    band = percentile_band(columns, 0.95)
    ours, scale = np.column_stack([band.low, band.high]), [[1], [values.size]]
    agree(percentile_band, CI, ours, np.array(theirs["percentile"]) * scale, 1e-10)


def test_few_resamples_are_refused() -> None:
    labels, scores = [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.95]
    area = partial(metrics.auc, labels, scores)
    random = np.random.default_rng(1)
    enough = resample(range(4), strata=labels, generator=random, number=39)
    assert bootstrap(area, enough).resamples == 39
    few = resample(range(4), strata=labels, generator=random, number=38)
    with pytest.raises(ValueError, match=r"found 38 resamples; .* 0.95 needs at least 39"):
        bootstrap(area, few)


def test_an_unknown_method_is_refused() -> None:
    drawn = resample([1, 2], generator=np.random.default_rng(1))
    with pytest.raises(
        ValueError, match="method: found 'normal', expected one of percentile, basic"
    ):
        bootstrap_together({}, drawn, method="normal")  # type: ignore[arg-type]


def test_an_unknown_figure_is_refused() -> None:
    drawn = resample([1, 2], generator=np.random.default_rng(1))
    with pytest.raises(ValueError, match="names: found 'kappa', expected one of auc, average"):
        bootstrap_figures([0, 1], [0.1, 0.9], drawn, threshold=0.5, names=["kappa"])


def test_quantiles_of_one_replicate_are_refused() -> None:
    with pytest.raises(ValueError, match="found 1 replicates; expected at least 2"):
        percentile_ends(np.array([0.5]), 0.95)


def test_beyond_the_outermost_replicates_are_these() -> None:
    replicated = np.arange(1.0, 11.0)
    assert ends(percentile_ends(replicated, 0.999)) == (1, 10)
    # The estimate lies above nine of ten: bca asks for quantiles that are not there.
    found = bca_ends(9.5, replicated, np.array([0.0, 0.0, 5.0]), 0.95)
    assert found is not None
    assert found.high == 10


def test_an_estimate_outside_the_replicates_has_no_bca() -> None:
    assert bca_ends(11.0, np.arange(10.0), np.array([1.0, 2.0]), 0.95) is None
    assert bca_ends(5.0, np.arange(10.0), np.zeros(4), 0.95) is None


def test_a_statistic_on_rows_may_be_undefined() -> None:
    found = on_rows(lambda rows: None if rows.size == 2 else 1.0)(np.array([[1, 1], [1, 2]]))
    assert np.isnan(found[0])
    assert found[1] == 1


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_interval_covers_nearly_as_often_as_it_says(method: Method) -> None:
    """60 patients with two images each, whose own noise has variance 0.2: the area is known."""
    random = np.random.default_rng(8)
    truth = ndtr(1 / np.sqrt(2 * 1.2))
    patient = np.repeat(np.arange(60), 2)
    outcome = np.repeat([0, 1], [35, 25])
    held = 0
    for _ in range(200):
        level = random.normal(outcome * 1.0)
        scores = level[patient] + random.normal(0, np.sqrt(0.2), 120)
        drawn = resample(patient, strata=outcome[patient], generator=random, number=300)
        found = bootstrap(partial(metrics.auc, outcome[patient], scores), drawn, method=method)
        held += found.low <= truth <= found.high
    assert 0.90 <= held / 200 <= 0.98
