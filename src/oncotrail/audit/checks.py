"""The checks by the names that a study file uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from oncotrail.audit.duplicate_image import duplicate_image
from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Finding
from oncotrail.audit.fitted_on_test import fitted_on_test
from oncotrail.audit.leaked_patient import leaked_patient
from oncotrail.audit.misaligned_rows import misaligned_rows
from oncotrail.study.guards import Check

CHECKS: Mapping[Check, Callable[[Evidence], Finding]] = {
    "leaked_patient": leaked_patient,
    "misaligned_rows": misaligned_rows,
    "duplicate_image": duplicate_image,
    "fitted_on_test": fitted_on_test,
}


def audited(checks: Iterable[Check], evidence: Evidence) -> list[Finding]:
    """Every declared check's finding; all are made, so that all violations are told at once."""
    return [CHECKS[name](evidence) for name in checks]
