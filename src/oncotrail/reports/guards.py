"""What the audit looked at, and which models were registered after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncotrail.record import RunRecord
from oncotrail.reports.cells import Cell, Grid, with_interval, words
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
            Cell(str(check["says"])),
        )
        for check in checks
    )
    verdict = (
        f"Passed: {len(checks)} checks made {looked:,} comparisons and found nothing wrong. "
        "A violation stops the pipeline before this page is written."
    )
    columns = ("Check", "Question", "Looked at", "What it says")
    source = f"From audit@{record.name}, run {record.key}."
    return Said((verdict,), Grid("Checks", columns, rows, source))


def registered(catalogue: Catalogue, record: RunRecord) -> Said:
    """The models that can be served, each by its registered name."""
    rows = tuple(
        (
            Cell(f"oncotrail-{catalogue.study}-{entry.model}"),
            Cell(entry.kind, ", ".join(entry.networks)),
            with_interval(*(entry.metrics.get(f"validation_auc{end}") for end in ("", "_low", "_high"))),
            Cell(entry.digest[:12]),
            Cell(entry.run),
        )
        for entry in catalogue.models
    )
    best = (
        f"oncotrail-{catalogue.study}, alias challenger, is {catalogue.challenger}: the best by "
        f"{words(catalogue.best_by).replace('auc', 'AUC')}. Test patients had no say in the choice."
    )
    columns = ("Registered name", "Kind", "Validation AUC", "Digest", "Run key")
    source = f"From register@{record.name}, run {record.key}."
    return Said((best,), Grid("Models", columns, rows, source))
