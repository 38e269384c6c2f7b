"""The patients of a report: from found to analysed, by reason and role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.reports.cells import words

# In the order in which a patient's data are used; the key is role, or role/what may learn from it.
PURPOSES: Mapping[str, tuple[str, str]] = {
    "train/network": ("train the networks", "the networks learn from these alone"),
    "train/fusion": ("train the fusion", "no network learned from these; the fusion does"),
    "train/": ("train", "everything learns from these"),
    "validation": ("validation", "choose the epoch, the threshold and the best model"),
    "test": ("test", "judge; nothing was fitted or chosen on these"),
    "external": ("external test", "judge, at sites that were held out"),
}


@dataclass(frozen=True)
class RoleBox:
    """One role at the end of the flow."""

    name: str
    patients: int
    events: str
    purpose: str


@dataclass(frozen=True)
class Flow:
    """Patients found, excluded by reason, and analysed by role."""

    found: int
    excluded: int
    exclusions: tuple[tuple[str, int], ...]
    eligible: int
    roles: tuple[RoleBox, ...]
    source: str


def flow(
    exclusions: pd.DataFrame, cohort: pd.DataFrame, split: pd.DataFrame, label: str, means: str
) -> Flow:
    """The flow of patients; `label` is the outcome whose events are counted, `means` its words."""
    excluded = int(exclusions["patient"].nunique())
    return Flow(
        found=excluded + len(cohort),
        excluded=excluded,
        exclusions=_by_reason(exclusions),
        eligible=len(cohort),
        roles=_roles(tables.join(split, cohort[["patient", label]], "report"), label, means),
        source="",
    )


def _by_reason(exclusions: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """Reasons with patients, the commonest first; a patient may have several."""
    counts = exclusions.groupby(["kind", "reason"])["patient"].nunique()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = [(f"{reason} ({kind})", int(count)) for (kind, reason), count in ordered]
    if sum(count for _, count in found) > exclusions["patient"].nunique():
        found = [(f"{reason}, alone or with others", count) for reason, count in found]
    return tuple(found)


def _roles(split: pd.DataFrame, label: str, means: str) -> tuple[RoleBox, ...]:
    training = split["role"] == "train"
    part = split["role"].astype(str).where(~training, "train/" + split["fits"].fillna(""))
    boxes = []
    for name, (title, purpose) in PURPOSES.items():
        members = split.loc[part == name, label]
        if len(members):
            events = f"{int(members.sum())} with {means}"
            boxes.append(RoleBox(words(title), len(members), events, purpose))
    return tuple(boxes)
