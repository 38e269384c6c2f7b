"""What acquire leaves behind: de-identified images, the log of changes, and the tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from oncotrail.acquire.check import Survey
from oncotrail.acquire.findings import Findings
from oncotrail.acquire.images import Examined, changes_of
from oncotrail.cohort import tables
from oncotrail.record import Scalar
from oncotrail.study.cohort import Cohort
from oncotrail.study.source import Acquire

CHANGES_AT_ONCE = 50_000  # rows of the log in memory


class Keeper:
    """Writes each image as it comes and logs what was changed in it, in flat memory."""

    def __init__(self, out: Path) -> None:
        self._out = out
        columns = list(tables.DEIDENTIFICATION.columns)
        self._waiting: dict[str, list[str]] = {name: [] for name in columns}
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._writer = pq.ParquetWriter(out / "deidentification.parquet", self._schema)

    def __call__(self, examined: Examined) -> None:
        """Write one image, with its mask, and remember their changes."""
        for name, data in examined.files:
            path = self._out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for image, change in changes_of(examined):
            values = (image, change.tag, change.keyword, change.action)
            for column, value in zip(self._waiting.values(), values, strict=True):
                column.append(str(value))
        if len(self._waiting["image"]) >= CHANGES_AT_ONCE:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(pa.table(self._waiting, schema=self._schema))
        for column in self._waiting.values():
            column.clear()


def write_tables(survey: Survey, cohort: Cohort, out: Path) -> None:
    """Write cohort, images, exclusions and the flow of patients."""
    tables.write(cohort.table(), cohort_frame(survey), out / "cohort.parquet")
    tables.write(tables.IMAGES, images_frame(survey), out / "images.parquet")
    tables.write(tables.EXCLUSIONS, exclusions_frame(survey), out / "exclusions.parquet")
    text = json.dumps(flow(survey), indent=1, ensure_ascii=False) + "\n"
    (out / "flow.json").write_text(text, encoding="utf-8")


def asked(acquire: Acquire, findings: Findings) -> dict[str, Scalar]:
    """What was asked for, and how the tables were read, for the run's page."""
    read_as = {f"{Path(file).stem}_read_as": how for file, how in findings.encodings.items()}
    return {**acquire.model_dump(include={"pseudonyms", "on_fault", "burned_in"}), **read_as}


def counts(survey: Survey) -> dict[str, float]:
    """How many patients and images, for the run's page."""
    found, eligible = survey.findings.patients, survey.findings.eligible
    return {
        "patients_found": found,
        "patients_excluded": found - eligible,
        "patients_eligible": eligible,
        "images": len(survey.images),
    }


def sentence(survey: Survey) -> str:
    """The same in words, for the terminal."""
    found, eligible = survey.findings.patients, survey.findings.eligible
    return (
        f"{found} patients found, {found - eligible} excluded, {eligible} eligible; "
        f"{len(survey.images)} images de-identified"
    )


def cohort_frame(survey: Survey) -> pd.DataFrame:
    """The rows of the patients who stay, by pseudonym."""
    rows = [
        {"patient": survey.aliases[patient].pseudonym, **row}
        for patient, row in survey.staying().items()
    ]
    return pd.DataFrame(rows)


def images_frame(survey: Survey) -> pd.DataFrame:
    """The images table, with its columns even where nobody has an image."""
    return pd.DataFrame(survey.images, columns=list(tables.IMAGES.columns))


def exclusions_frame(survey: Survey) -> pd.DataFrame:
    """Who was kept out and why, by pseudonym."""
    rows = [
        (survey.aliases[exclusion.patient].pseudonym, exclusion.kind, exclusion.reason)
        for exclusion in survey.findings.exclusions
    ]
    return pd.DataFrame(rows, columns=list(tables.EXCLUSIONS.columns))


def flow(survey: Survey) -> dict[str, Any]:
    """How many were found, kept out and left. A patient with several reasons counts by the first.

    So found = the sum of excluded + eligible, in all and at each site.
    """
    first: dict[str, tuple[str, str]] = {}
    for exclusion in survey.findings.exclusions:
        first.setdefault(exclusion.patient, (exclusion.kind, exclusion.reason))
    reasons = Counter(first.values())
    return {
        "found": survey.findings.patients,
        "excluded": [
            {"kind": kind, "reason": reason, "patients": patients}
            for (kind, reason), patients in sorted(reasons.items())
        ],
        "eligible": survey.findings.eligible,
        "sites": _by_site(survey, first),
    }


def _by_site(survey: Survey, excluded: Mapping[str, object]) -> dict[str, dict[str, int]]:
    everybody = survey.clinical.known | set(excluded)
    site = {patient: survey.clinical.sites.get(patient) or "unknown" for patient in everybody}
    found = Counter(site.values())
    out = Counter(site[patient] for patient in excluded)
    return {
        name: {"found": found[name], "excluded": out[name], "eligible": found[name] - out[name]}
        for name in sorted(found)
    }
