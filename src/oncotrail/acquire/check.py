"""A raw cohort -> everything that is wrong with it, and the tables that are right.

    check(folder, acquire, cohort) -> Findings        for a person, who then mends the cohort
    survey(folder, acquire, cohort, key, keep)        for the stage, which also keeps the images

The order is: the clinical table, eligibility, which image is whose, each image, and last what only
all patients together can show (one class, mixed units, one picture under two patients).
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oncotrail.acquire.cells import Value
from oncotrail.acquire.clinical import Clinical, read_clinical
from oncotrail.acquire.findings import Exclusion, Findings, Problem
from oncotrail.acquire.folder import Images, Source, find_images, missing_images
from oncotrail.acquire.images import Examined, examine
from oncotrail.acquire.pseudonyms import KEY_BYTES, Key
from oncotrail.acquire.sheet import read_sheet
from oncotrail.acquire.units import mixed_units
from oncotrail.errors import DeidentificationRefused, ImageFault
from oncotrail.imaging.deidentify import Alias
from oncotrail.study.cohort import Cohort, Number
from oncotrail.study.source import Acquire

CLINICAL = "clinical.csv"
INVENTED = "invented.json"

Keep = Callable[[Examined], None]


@dataclass
class Survey:
    """The findings, and what is known of each patient who stays: by source id."""

    findings: Findings
    aliases: dict[str, Alias]
    sites: dict[str, str]  # of everybody in the clinical table
    rows: dict[str, dict[str, Value]]
    images: list[dict[str, str | int | float | None]] = field(default_factory=list)


def check(folder: Path, acquire: Acquire, cohort: Cohort) -> Findings:
    """Do all that the stage would do, under a key that is thrown away, and keep nothing."""
    passing = Key(secrets.token_bytes(KEY_BYTES))
    return survey(folder, acquire, cohort, passing, lambda _: None).findings


def survey(folder: Path, acquire: Acquire, cohort: Cohort, key: Key, keep: Keep) -> Survey:
    """Read, check and de-identify a raw cohort; `keep` is given each image that may be used."""
    ...
