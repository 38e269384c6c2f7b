from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.partial import partial_auc
from oncotrail.statistics.uncertainty.resampling import resample
from tests.reference.tables import breast
from tests.statistics.draws import bootstraps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

ORACLE = r("discrimination", "pROC::auc")
ranges = st.tuples(st.integers(0, 19), st.integers(1, 20)).filter(lambda ends: ends[0] < ends[1])


@pytest.mark.parametrize("focus", ["specificity", "sensitivity"])
@pytest.mark.parametrize("corrected", [False, True])
def test_agrees_with_proc(focus: str, *, corrected: bool) -> None:
    said = reference("discrimination")
    for case, theirs in said["partial"].items():
        table = said["discrimination"][case]["table"]
        for part in theirs:
            ours = partial_auc(
                table["labels"],
                table["first"],
                (part["low"], part["high"]),
                focus=focus,
                corrected=corrected,
            )
            name = focus + ("_corrected" if corrected else "")
            agree(partial_auc, ORACLE, ours.value, part[name])
            assert (ours.low, ours.high) == (None, None)


def test_agrees_with_proc_on_a_real_table() -> None:
    table, theirs = breast(), reference("discrimination")["breast"]
    patients = table["malignant"], table["mean_texture"]
    agree(partial_auc, ORACLE, partial_auc(*patients, (0.9, 1)).value, theirs["partial"])
    ours = partial_auc(*patients, (0.9, 1), corrected=True).value
    agree(partial_auc, ORACLE, ours, theirs["partial_corrected"])


@pytest.mark.parametrize("which", range(7))
def test_the_interval_agrees_with_proc_and_boot_on_the_rows_that_were_drawn(which: int) -> None:
    drawn, table, resamples = bootstraps()[which]
    rows = table["labels"], table["first"]
    oracle = ORACLE + ", " + r("discrimination", "boot::boot.ci")
    settings = {"resamples": resamples, "confidence": drawn["confidence"]}
    ours = partial_auc(*rows, (0.8, 1), **settings)
    agree(partial_auc, oracle, (ours.low, ours.high), drawn["partial"])
    ours = partial_auc(*rows, (0.75, 1), focus="sensitivity", **settings)
    agree(partial_auc, oracle, (ours.low, ours.high), drawn["partial_sensitivity"])
    ours = partial_auc(*rows, (0.8, 1), corrected=True, **settings)
    if ours.value is None:  # below the diagonal: a figure without meaning
        assert (ours.low, ours.high, ours.method) == (None, None, "no interval")
    else:
        agree(partial_auc, oracle, (ours.low, ours.high), drawn["partial_corrected"])


@given(markers(), ranges, st.data())
def test_a_weight_of_two_is_the_row_twice(
    marker: Marker, ends: tuple[int, int], data: st.DataObject
) -> None:
    labels, scores = marker
    times = data.draw(st.lists(st.integers(1, 3), min_size=labels.size, max_size=labels.size))
    bounds = ends[0] / 20, ends[1] / 20
    ours = partial_auc(labels, scores, bounds, weights=np.array(times) / 7).value
    theirs = partial_auc(np.repeat(labels, times), np.repeat(scores, times), bounds).value
    agree(partial_auc, "definition: rows written repeatedly", ours, theirs, within=1e-12)


def test_a_perfect_marker_leaves_its_resamples_without_spread() -> None:
    labels = np.repeat([0, 1], 5)
    drawn = resample(range(10), strata=labels, generator=np.random.default_rng(2), number=50)
    found = partial_auc(labels, range(10), (0.5, 1), resamples=drawn)
    assert (found.value, found.low, found.high) == (0.5, None, None)


@given(markers(), ranges)
def test_parts_add_up_to_the_whole(marker: Marker, ends: tuple[int, int]) -> None:
    low, high = ends[0] / 20, ends[1] / 20
    edges = sorted({0, low, high, 1})
    for focus in ("specificity", "sensitivity"):
        parts = [partial_auc(*marker, pair, focus=focus).value for pair in pairwise(edges)]
        assert sum(parts) == pytest.approx(auc(*marker).value)
    middle = partial_auc(*marker, (low, high)).value
    assert -1e-12 <= middle <= high - low + 1e-12


@given(markers())
def test_the_corrected_whole_is_the_area(marker: Marker) -> None:
    area = auc(*marker).value
    found = partial_auc(*marker, (0, 1), corrected=True).value
    if area < 0.5 - 1e-9:
        assert found is None
    else:
        assert found == pytest.approx(area)


@given(ranges)
def test_a_perfect_marker_fills_the_range_and_a_constant_one_is_chance(
    ends: tuple[int, int],
) -> None:
    bounds = ends[0] / 20, ends[1] / 20
    labels = [0, 0, 1, 1]
    for focus in ("specificity", "sensitivity"):
        perfect = partial_auc(labels, labels, bounds, focus=focus, corrected=True)
        constant = partial_auc(labels, [1] * 4, bounds, focus=focus, corrected=True)
        assert (perfect.value, constant.value) == pytest.approx((1, 0.5))


def test_says_what_it_is() -> None:
    labels, scores = [0, 0, 1, 1], [1, 3, 2, 4]
    drawn = resample(range(4), strata=labels, generator=np.random.default_rng(2), number=50)
    found = partial_auc(labels, scores, (0.5, 1), resamples=drawn, confidence=0.9)
    assert (found.n, found.events, found.bounds) == (4, 2, (0.5, 1))
    assert (found.focus, found.corrected, found.confidence) == ("specificity", False, 0.9)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("bounds", [(0.5, 0.5), (0.9, 0.1), (-0.1, 1), (90, 100)])
def test_refuses_a_range_that_is_none(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected 0 <= low < high <= 1"):
        partial_auc([0, 1], [1, 2], bounds)


def test_refuses_an_unknown_focus() -> None:
    with pytest.raises(ValueError, match="focus: found 'recall', expected one of specificity"):
        partial_auc([0, 1], [1, 2], (0.5, 1), focus="recall")


def test_the_confidence_is_checked_without_resamples_too() -> None:
    with pytest.raises(ValueError, match="found confidence 95"):
        partial_auc([0, 0, 1, 1], [1, 3, 2, 4], (0.5, 1), confidence=95)
