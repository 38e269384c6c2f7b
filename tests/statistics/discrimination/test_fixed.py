import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.discrimination.fixed import sensitivity_at, specificity_at
from oncotrail.statistics.intervals import wilson
from oncotrail.statistics.uncertainty.resampling import resample
from tests.statistics.draws import bootstraps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

ORACLE = r("discrimination", "pROC::coords") + ", " + r("discrimination", "boot::boot.ci")


@pytest.mark.parametrize("which", range(7))
def test_agree_with_proc_and_boot_on_the_rows_that_were_drawn(which: int) -> None:
    drawn, table, resamples = bootstraps()[which]
    rows, settings = (table["labels"], table["first"]), {"resamples": resamples}
    settings["confidence"] = drawn["confidence"]
    place = reference("discrimination")["specificities"].index(0.75)
    ours = sensitivity_at(*rows, 0.75, **settings)
    if ours.method != "Wilson":
        agree(
            sensitivity_at,
            ORACLE,
            (ours.low, ours.high),
            (drawn["low"][place], drawn["high"][place]),
        )
    ours = specificity_at(*rows, 0.9, **settings)
    agree(specificity_at, ORACLE, (ours.value, ours.low, ours.high), drawn["specificity_at_0.9"])
    assert ours.events == 0


@given(markers(smallest_group=2), st.integers(0, 10))
def test_each_is_the_other_of_the_opposite_outcome(marker: Marker, tenths: int) -> None:
    labels, scores = marker
    drawn = resample(
        range(labels.size), strata=labels, generator=np.random.default_rng(3), number=40
    )
    forth = sensitivity_at(labels, scores, tenths / 10, resamples=drawn)
    back = specificity_at(1 - labels, -scores, tenths / 10, resamples=drawn)
    assert (forth.value, forth.low, forth.high) == (back.value, back.low, back.high)
    assert forth.low <= forth.high
    assert (forth.n, forth.events, back.events) == (labels.sum(), labels.sum(), 0)


def test_a_perfect_marker_is_not_certain() -> None:
    labels = np.repeat([0, 1], [5, 8])
    drawn = resample(range(13), strata=labels, generator=np.random.default_rng(3), number=40)
    found = sensitivity_at(labels, range(13), 0.9, resamples=drawn)
    assert (found.value, found.method) == (1, "Wilson")
    assert (found.low, found.high) == (wilson(8, 8).low, 1)


def test_images_of_one_patient_count_once() -> None:
    labels = np.repeat([0, 1], [10, 16])
    whose = np.append(np.arange(10), 10 + np.arange(16) // 2)
    drawn = resample(whose, strata=labels, generator=np.random.default_rng(3), number=40)
    found = sensitivity_at(labels, range(26), 0.9, resamples=drawn)
    assert (found.n, found.events, found.low) == (8, 8, wilson(8, 8).low)


def test_weights_make_shares_of_weight() -> None:
    labels, scores = [0, 0, 1, 1, 1], [1, 3, 2, 4, 5]
    drawn = resample(range(5), strata=labels, generator=np.random.default_rng(3), number=40)
    found = sensitivity_at(labels, scores, 1, resamples=drawn, weights=[1, 1, 6, 1, 1])
    assert found.value == pytest.approx(2 / 8)


@pytest.mark.parametrize("share", [-0.1, 90, float("nan")])
def test_what_is_no_share_is_refused(share: float) -> None:
    drawn = resample(range(2), generator=np.random.default_rng(3), number=40)
    with pytest.raises(ValueError, match=f"found specificity {share}; expected a number from 0 to"):
        sensitivity_at([0, 1], [1, 2], share, resamples=drawn)
    with pytest.raises(ValueError, match=f"found sensitivity {share}; expected a number from 0 to"):
        specificity_at([0, 1], [1, 2], share, resamples=drawn)
