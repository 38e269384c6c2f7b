"""The words on MLflow's pages: what a run, a model or a study is, and how to get it again."""

from __future__ import annotations

from collections.abc import Mapping

from oncotrail.record import RunRecord
from oncotrail.serving.catalogue import Entry
from oncotrail.serving.manifest import Manifest
from oncotrail.study.cohort import Category, Column

_ROLES = ("validation", "test", "external")
_SHOWN = 12  # changed settings that a note lists before it refers to the tag


def run_note(record: RunRecord, name: str, kind: str, figures: Mapping[str, float]) -> str:
    """A run's description: what it is, its figures, what the demo changed, how to repeat it."""
    address = f"{record.stage}@{record.name}"
    parts = [
        f"{_what(record, name, kind)} of study **{record.study}**, recipe **{record.recipe}**."
    ]
    aucs = [text for role in _ROLES if (text := _auc(role, figures))]
    if aucs:
        parts.append("AUC: " + "; ".join(aucs) + ".")
    if record.bent:
        parts.append("Not the published settings:\n" + _changes(record))
    folder = f"data/{record.study}/{record.stage}"
    parts.append(f"Made by `dvc repro {address}`; files in `{folder}`.")
    return "\n\n".join(parts)


def version_note(manifest: Manifest, entry: Entry) -> str:
    """A model version's description: what to give it and what it answers."""
    rows = [
        f"| `{view}` | path of an image | DICOM, PNG, JPEG or NIfTI |" for view in manifest.views
    ]
    rows += [f"| `{name}` | {_asked(c)} | {c.describe} |" for name, c in manifest.clinical.items()]
    auc = _auc("validation", entry.metrics)
    return "\n".join(
        [
            f"{manifest.kind.capitalize()} `{manifest.model}` of study `{manifest.study}`: the "
            f"probability of `{manifest.outcome}`" + (f"; AUC {auc}." if auc else "."),
            "",
            "| column | value | |",
            "|---|---|---|",
            *rows,
            "",
            "A clinical value may be blank; a column may not be missing.",
        ]
    )


def _what(record: RunRecord, name: str, kind: str) -> str:
    if kind == "stage":
        return f"Stage **{record.stage}**"
    return f"{kind.capitalize()} **{name}**"


def _auc(role: str, figures: Mapping[str, float]) -> str:
    """An AUC with its interval, as `validation 0.71 (0.60 to 0.81)`; nothing if there is none."""
    names = [f"{role}_auc", f"{role}_auc_low", f"{role}_auc_high"]
    if any(name not in figures for name in names):
        return ""
    value, low, high = (figures[name] for name in names)
    return f"{role} {value:.3f} ({low:.3f} to {high:.3f})"


def _changes(record: RunRecord) -> str:
    changes = [
        f"- `{place}`: {published} → {used}"
        for place, (published, used) in sorted(record.bent.items())
    ]
    more = (
        [f"- and {len(changes) - _SHOWN} more, in the tag `bent`"] if len(changes) > _SHOWN else []
    )
    return "\n".join([*changes[:_SHOWN], *more])


def _asked(column: Column) -> str:
    if isinstance(column, Category):
        return ", ".join(f"{code} = {means}" for code, means in column.levels.items())
    return f"{column.minimum:g} to {column.maximum:g} {column.unit}"
