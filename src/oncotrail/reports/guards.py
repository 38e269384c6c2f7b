"""What the audit looked at, and which models were registered after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncotrail.record import RunRecord
from oncotrail.reports.cells import Cell, Grid, decimals, digest, run_key, words
from oncotrail.serving.catalogue import Catalogue

# The question behind each check's name.
QUESTIONS: Mapping[str, str] = {
    "leaked_patient": "Is a patient in two roles?",
    "misaligned_rows": "Does a score stand beside somebody else's row?",
    "duplicate_image": "Does one picture appear under two patients or roles?",
    "fitted_on_test": "Was anything fitted on patients who judge it?",
}


@dataclass(frozen=True)
class Said:
    """Sentences and their table."""

    sentences: tuple[str, ...]
    grid: Grid


def audited(checks: Sequence[Mapping[str, Any]], record: RunRecord) -> Said:
    """The audit's checks; it writes its file only if none found a violation."""
    looked = sum(int(check["looked_at"]) for check in checks)
    rows = tuple(
        (
            Cell(words(str(check["check"])).capitalize()),
            Cell(QUESTIONS.get(str(check["check"]), "")),
            Cell(f"{int(check['looked_at']):,}"),
            Cell(str(check["says"]).capitalize(), _looked(check, record.study)),
        )
        for check in checks
    )
    verdict = (
        f"Passed: {_count(len(checks))} made {looked:,} comparisons and found nothing wrong. "
        "A violation stops the pipeline before this page is written."
    )
    columns = ("Check", "Question", "Looked at", "What it says")
    source = f"From audit, run {record.key}."
    return Said((verdict,), Grid("Checks", columns, rows, source))


def registered(catalogue: Catalogue, record: RunRecord) -> Said:
    """The models that can be served, each by its registered name."""
    rows = tuple(
        (
            Cell(f"oncotrail-{catalogue.study}-{entry.model}"),
            Cell(entry.kind, _networks(entry.networks, catalogue.study)),
            _validation_auc(entry.metrics),
            digest(entry.digest),
            run_key(entry.run),
        )
        for entry in catalogue.models
    )
    best = (
        f"oncotrail-{catalogue.study}, alias challenger, is {catalogue.challenger}: the best by "
        f"{words(catalogue.best_by).replace('auc', 'AUC')}. Test patients had no say in the choice."
    )
    columns = ("Registered name", "Kind", "Validation AUC", "Digest", "Run key")
    source = f"From register, run {record.key}."
    return Said((best,), Grid("Models", columns, rows, source))


def _looked(check: Mapping[str, Any], study: str) -> str:
    """What a check compared, and how many of each."""
    counts = ", ".join(f"{count} {what}" for what, count in check["looked"].items())
    return counts.replace(f"{study}-", "")


def _networks(networks: Sequence[str], study: str) -> str:
    names = ", ".join(name.removeprefix(f"{study}-") for name in networks)
    return f"with {names}" if names else ""


def _validation_auc(metrics: Mapping[str, float]) -> Cell:
    """Register refuses a model without one."""
    low, high = metrics["validation_auc_low"], metrics["validation_auc_high"]
    return Cell(decimals(metrics["validation_auc"]), f"{decimals(low)} to {decimals(high)}")


def _count(checks: int) -> str:
    return "1 check" if checks == 1 else f"{checks} checks"
