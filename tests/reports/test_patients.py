import pytest

from oncotrail.errors import TableError
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.patients import Flow, baseline, flow
from tests.reports import written


@pytest.fixture
def counted(evidence: Evidence) -> Flow:
    return flow(
        evidence.flow,
        evidence.cohort,
        evidence.split,
        label="relapse",
        means="relapse",
        source="",
    )


def test_found_is_excluded_and_eligible(counted: Flow) -> None:
    assert (counted.found, counted.excluded, counted.eligible) == (124, 4, 120)
    assert sum(patients for _, patients in counted.exclusions) == counted.excluded


def test_the_commonest_reason_comes_first(counted: Flow) -> None:
    assert counted.exclusions == (
        ("younger than 18 years (eligibility)", 3),
        ("no image of t4 (data fault)", 1),
    )


def test_roles_hold_everybody_with_their_events(counted: Flow, evidence: Evidence) -> None:
    assert sum(role.patients for role in counted.roles) == counted.eligible
    assert [role.name for role in counted.roles] == [
        "train the networks",
        "validation",
        "test",
        "external test",
    ]
    events = sum(int(role.events.split()[0]) for role in counted.roles)
    assert events == evidence.cohort["relapse"].sum()


def test_a_count_from_another_run_is_refused(evidence: Evidence) -> None:
    with pytest.raises(TableError, match="counts 119 eligible patients, the cohort table has 120"):
        flow(
            written.FLOW | {"eligible": 119},
            evidence.cohort,
            evidence.split,
            label="relapse",
            means="relapse",
            source="",
        )


def test_levels_stand_beneath_their_characteristic(evidence: Evidence) -> None:
    table = baseline(evidence.baseline, "")
    assert table.roles == ("All", "Train", "Validation", "Test", "External")
    receptor = next(one for one in table.characteristics if one.name == "oestrogen receptor")
    assert [level for level, _ in receptor.rows] == ["negative", "positive", "missing"]
    age = next(one for one in table.characteristics if one.name == "age, years")
    assert [level for level, _ in age.rows] == [""]


def test_texts_are_those_that_evaluate_wrote(evidence: Evidence) -> None:
    table = baseline(evidence.baseline, "")
    written_texts = evidence.baseline.iloc[:, 2:].to_numpy().tolist()
    shown = [list(texts) for one in table.characteristics for _, texts in one.rows]
    assert shown == written_texts
