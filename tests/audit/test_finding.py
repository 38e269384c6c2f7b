"""Findings: all violations told at once, and nothing is proved by looking at nothing."""

import pytest

from oncotrail.audit.finding import Finding, Violation, found, refuse_violations, violation
from oncotrail.errors import AuditFailed


def test_a_clean_finding_passes() -> None:
    finding = found("leaked_patient", {"patients": 3, "rows": 4}, [])
    refuse_violations([finding])
    assert finding.looked_at == 7
    assert finding.says == "nothing wrong among 7 looked at"


@pytest.mark.parametrize("looked", [{}, {"patients": 3, "rows": 0}])
def test_to_have_looked_at_nothing_is_a_violation(looked: dict[str, int]) -> None:
    with pytest.raises(AuditFailed, match="there was nothing to look at"):
        refuse_violations([found("leaked_patient", looked, [])])


def test_all_violations_of_all_checks_are_told() -> None:
    findings = [
        Finding("one", {"rows": 1}, (Violation("a table", ("P2", "P1"), "is wrong", "Mend it."),)),
        Finding("two", {"rows": 1}, (Violation("a scaler", (), "is wrong too", "Fit again."),)),
    ]
    with pytest.raises(AuditFailed) as failed:
        refuse_violations(findings)
    first, one, two = str(failed.value).splitlines()
    assert first.startswith("2 violations;")
    assert one == "one: a table: is wrong (P2, P1). Mend it."
    assert two == "two: a scaler: is wrong too. Fit again."
    assert failed.value.exit_code == 2


def test_many_patients_are_counted_after_the_first_twenty() -> None:
    (one,) = violation("scores", [f"P{number:02d}" for number in range(30)], "are wrong", "Mend.")
    assert "P19 and 10 more)" in str(one)
    assert len(one.patients) == 30


def test_a_violation_of_nobody_is_none() -> None:
    assert violation("scores", [], "are wrong", "Mend.") == []


def test_patients_of_a_finding_are_told_once() -> None:
    own = [*violation("a", ["P2", "P1", "P2"], "", ""), *violation("b", ["P2"], "", "")]
    assert Finding("one", {"rows": 1}, tuple(own)).patients == ("P1", "P2")
