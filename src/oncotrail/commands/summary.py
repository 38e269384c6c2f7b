"""The table of models that `oncotrail repro` ends with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SHOWN = ("auc", "accuracy", "sensitivity", "specificity")
_ROLES = ("external", "test")  # the strictest that the study has


def summary(root: Path, study: str) -> Iterator[str]:
    """One study's models on the strictest rows, with intervals, and where the report lies."""
    metrics = root / "results" / study / "metrics.json"
    if metrics.exists():
        models = json.loads(metrics.read_text(encoding="utf-8"))
        present = {role for figures in models.values() for role in figures}
        role = next((role for role in _ROLES if role in present), "test")
        rows = [_row(name, model[role]) for name, model in models.items() if role in model]
        yield ""
        yield f"{study}, {role} patients, value (interval):"
        yield from table(("model", "patients", "events", *SHOWN), rows)
    report = root / "data" / study / "report" / "report.html"
    if report.exists():
        yield f"report: {report.relative_to(root)}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    r"""Rows of text under a header, in columns: words to the left, figures to the right.

    >>> print(*table(("model", "auc"), [("clinical", ".80")]), sep="\n")
      model      auc
      clinical   .80
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = (
            text.ljust(width) if index == 0 else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "   ".join((first, *others))


def _row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (str(figures.get("patients", "")), str(figures.get("events", "")))
    return (name, *counts, *(_figure(figures.get(metric)) for metric in SHOWN))


def _figure(value: Mapping[str, float | None] | None) -> str:
    if not value or value.get("value") is None:
        return "-"
    limits = [value.get("low"), value.get("high")]
    if None in limits:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} ({limits[0]:.3f}-{limits[1]:.3f})"
