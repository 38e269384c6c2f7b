from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from oncotrail.statistics.classification.reclassification import (
    Improvement,
    categorical_nri,
    continuous_nri,
    idi,
)
from oncotrail.statistics.intervals import Difference
from tests.reference.tables import breast
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

ORACLE = r("classification", "Hmisc::improveProb")
CASES = ("ordinary", "ties", "rare", "four", "all_up", "unchanged", "two")
PARTS = {"total": "nri", "events": "nri.ev", "non_events": "nri.ne"}
UNDEFINED = [None] * 5

Risks = tuple[Any, Any, Any]


def said(case: str) -> tuple[dict[str, Any], Risks]:
    if case == "breast":
        table = breast()
        texture = (table["mean_texture"] - 20) / 4
        new = expit(texture + 50 * (table["mean_smoothness"] - 0.1))
        answer = reference("classification")["reclassification"]["breast"]
        return answer, (table["malignant"], expit(texture), new)
    answer = reference("classification")["reclassification"]["made"][case]
    return answer, (answer["labels"], answer["old"], answer["new"])


def spread(found: Difference) -> list[float | None]:
    return [found.low, found.high, found.standard_error, found.statistic, found.p_value]


def same(
    ours: Difference, value: float, error: float | None, z: float | None, most: int
) -> tuple[list[float | None], list[float | None]]:
    """Ours beside what follows from R's error, which is 0 where ours is None."""
    if not error:
        assert spread(ours) == UNDEFINED
        return [ours.value], [value]
    half = norm.ppf(0.975) * error
    ends = np.clip([value - half, value + half], -most, most)
    found = [ours.value, ours.standard_error, ours.statistic, ours.p_value, ours.low, ours.high]
    return found, [value, error, z, 2 * norm.sf(abs(z)), *ends]


def compare(function: Any, ours: Improvement, theirs: dict[str, Any]) -> None:
    for part, name in PARTS.items():
        values = theirs[name], theirs[f"se.{name}"], theirs[f"z.{name}"]
        most = 2 if part == "total" else 1
        agree(function, ORACLE, *same(getattr(ours, part), *values, most))


@pytest.mark.parametrize("case", [*CASES, "breast"])
def test_net_reclassification_agrees_with_hmisc(case: str) -> None:
    answer, risks = said(case)
    compare(continuous_nri, continuous_nri(*risks), answer["continuous"])
    categorical = categorical_nri(*risks, answer["cuts"]).improvement
    compare(categorical_nri, categorical, answer["categorical"])


@pytest.mark.parametrize("case", [*CASES, "breast"])
def test_integrated_improvement_agrees_with_hmisc(case: str) -> None:
    answer, risks = said(case)
    ours, theirs = idi(*risks), answer["continuous"]
    error = theirs["se.idi"] if theirs["se.idi"] and theirs["se.idi"] > 1e-12 else None
    z = theirs["z.idi"] if error else None
    agree(idi, ORACLE, *same(ours.total, theirs["idi"], error, z, 2))
    parts = ours.events.value, ours.non_events.value
    agree(idi, ORACLE, parts, (theirs["improveSens"], theirs["improveSpec"]))


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("classification")["reclassification"]["made"]) == set(CASES)


@given(markers(), st.data())
def test_categories_agree_with_the_definition(marker: Marker, data: st.DataObject) -> None:
    labels, _ = marker
    tenths = st.lists(st.integers(0, 10), min_size=labels.size, max_size=labels.size)
    old, new = (np.array(data.draw(tenths)) / 10 for _ in range(2))
    cuts = [0.2, 0.5]
    ours = categorical_nri(labels, old, new, cuts)
    place = {risk: sum(risk >= cut for cut in cuts) for risk in {*old, *new}}
    tables = np.zeros((2, 3, 3), int)
    for label, before, after in zip(labels, old, new, strict=True):
        tables[label, place[before], place[after]] += 1
    up, down = np.triu(np.ones((3, 3)), 1), np.tril(np.ones((3, 3)), -1)
    shares = [((up - down) * table).sum() / table.sum() for table in tables]
    oracle = "definition: patients counted in the tables"
    found = ours.improvement
    values = found.total.value, found.events.value, found.non_events.value
    agree(categorical_nri, oracle, values, (shares[1] - shares[0], shares[1], -shares[0]))
    sizes = [(each.n, each.events) for each in (found.total, found.events, found.non_events)]
    events = int(labels.sum())
    assert sizes == [(labels.size, events), (events, events), (labels.size - events, 0)]
    assert ours.events.tolist() == tables[1].tolist()
    assert ours.non_events.tolist() == tables[0].tolist()


@given(markers(smallest_group=2), st.data())
def test_swapping_the_models_turns_every_sign(marker: Marker, data: st.DataObject) -> None:
    labels, scores = marker
    old, new = expit(scores), expit(scores[data.draw(st.permutations(range(labels.size)))])
    for improvement in (continuous_nri, idi):
        forth, back = improvement(labels, old, new), improvement(labels, new, old)
        for part in PARTS:
            one, other = getattr(forth, part), getattr(back, part)
            assert one.value == pytest.approx(-other.value)
            assert one.p_value == pytest.approx(other.p_value)


@given(markers(smallest_group=2))
def test_the_same_model_twice_improves_nothing(marker: Marker) -> None:
    labels, scores = marker
    risks = expit(scores)
    for found in (
        continuous_nri(labels, risks, risks),
        categorical_nri(labels, risks, risks, [0.5]).improvement,
        idi(labels, risks, risks),
    ):
        assert [getattr(found, part).value for part in PARTS] == [0, 0, 0]
        assert spread(found.total) == UNDEFINED


def test_a_perfect_model_against_a_useless_one_gains_all_there_is() -> None:
    labels = np.repeat([0, 1], 3)
    found = idi(labels, np.full(6, 0.5), labels.astype(float))
    assert (found.total.value, found.events.value, found.non_events.value) == (1, 0.5, 0.5)
    net = continuous_nri(labels, np.full(6, 0.5), labels.astype(float))
    assert net.total.value == 2
    assert (net.total.n, net.events.n, net.non_events.n) == (6, 3, 3)


def test_one_patient_of_an_outcome_has_no_integrated_error() -> None:
    found = idi([0, 0, 1], [0.2, 0.3, 0.4], [0.1, 0.5, 0.9])
    assert found.events.standard_error is None
    assert found.total.standard_error is None
    assert found.non_events.standard_error is not None
    other = idi([0, 1, 1], [0.2, 0.3, 0.4], [0.1, 0.5, 0.9])
    assert other.non_events.standard_error is None
    assert other.total.standard_error is None


def test_the_same_step_in_decimals_is_no_spread() -> None:
    """0.3 - 0.2 and 0.6 - 0.5 are the same tenth, and not the same float."""
    found = idi([0, 0, 1, 1], [0.2, 0.5, 0.2, 0.5], [0.3, 0.6, 0.3, 0.6])
    assert spread(found.total) == UNDEFINED


def test_an_interval_stays_in_its_range() -> None:
    labels = np.repeat([0, 1], [3, 3])
    found = continuous_nri(labels, [0.5] * 6, [0.1, 0.2, 0.6, 0.9, 0.8, 0.7], 0.999)
    assert (found.non_events.low, found.non_events.high) == (-1, 1)
    assert found.total.high == 2


@pytest.mark.parametrize("improvement", [continuous_nri, idi])
def test_what_is_no_risk_is_refused(improvement: Any) -> None:
    with pytest.raises(ValueError, match=r"new: found 1.2 in row 1; .* at most 1"):
        improvement([0, 1], [0.1, 0.2], [0.1, 1.2])
    with pytest.raises(ValueError, match=r"old: found -0.1 in row 0; .* of at least 0"):
        improvement([0, 1], [-0.1, 0.2], [0.1, 0.2])
    with pytest.raises(ValueError, match="found 2 events in 2 patients"):
        improvement([1, 1], [0.1, 0.2], [0.1, 0.2])


def test_cut_points_must_rise_within_the_risks() -> None:
    with pytest.raises(ValueError, match=r"found cutpoints \[0.5, 0.2\]; expected them to rise"):
        categorical_nri([0, 1], [0.1, 0.2], [0.1, 0.2], [0.5, 0.2])
    with pytest.raises(ValueError, match=r"cutpoints: found 20\.0 in row 0"):
        categorical_nri([0, 1], [0.1, 0.2], [0.1, 0.2], [20])
