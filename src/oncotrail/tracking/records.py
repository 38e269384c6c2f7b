"""The records below data/: every run.json, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from oncotrail.errors import UserFault
from oncotrail.record import RunRecord, folder
from oncotrail.tracking.labels import NETWORK_STAGE

TUNE_STAGE = "tune"


@dataclass(frozen=True)
class Found:
    """A run.json and the stage output that it lies in."""

    record: RunRecord
    folder: Path


def found_in(root: Path) -> list[Found]:
    """Every record, in the order of their paths; looks only as deep as stages write."""
    data = root / "data"
    paths = sorted([*data.glob("*/*/run.json"), *data.glob("*/*/*/run.json")])
    return [Found(_with_tuned(root, read_record(path)), path.parent) for path in paths]


def read_record(path: Path) -> RunRecord:
    """Read a run.json, or say which one is damaged."""
    try:
        return RunRecord.read(path)
    except (ValueError, TypeError, KeyError) as error:
        message = f"{path} is not a run's record ({error}); delete its folder and run make repro."
        raise UserFault(message) from None


def _with_tuned(root: Path, record: RunRecord) -> RunRecord:
    """A network's record with what was bent before it: tune read the study file, train did not."""
    path = folder(root, record.study, TUNE_STAGE, record.name) / "run.json"
    if record.stage != NETWORK_STAGE or not path.is_file():
        return record
    return replace(record, bent={**read_record(path).bent, **record.bent})
