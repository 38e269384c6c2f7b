"""The patients of a report: from found to analysed, by reason and role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.cohort.folds import last_fold, of_fold, outer_folds
from oncotrail.errors import TableError
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
    sites: str
    roles: tuple[RoleBox, ...]
    source: str


@dataclass(frozen=True)
class Characteristic:
    """One line of a baseline table, or one for each of its levels: (level, text per role)."""

    name: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Baseline:
    """Who the patients of each role were."""

    roles: tuple[str, ...]
    characteristics: tuple[Characteristic, ...]
    source: str


def flow(
    counted: Mapping[str, Any],
    cohort: pd.DataFrame,
    split: pd.DataFrame,
    *,
    label: str,
    means: str,
    source: str,
) -> Flow:
    """The flow of patients from acquire's flow.json (`counted`) on.

    `label` is the outcome whose events are counted, `means` its words.
    """
    if int(counted["eligible"]) != len(cohort):
        message = (
            f"flow.json counts {counted['eligible']} eligible patients, the cohort table has "
            f"{len(cohort)}; run make repro, so that both come from one run."
        )
        raise TableError(message)
    exclusions = sorted(counted["excluded"], key=lambda each: -int(each["patients"]))
    return Flow(
        found=int(counted["found"]),
        excluded=int(counted["found"]) - len(cohort),
        exclusions=tuple((_reason(each), int(each["patients"])) for each in exclusions),
        eligible=len(cohort),
        sites=_sites(counted["sites"]),
        roles=_roles(tables.join(split, cohort[["patient", label]], "report"), label, means),
        source=source,
    )


def baseline(table: pd.DataFrame, source: str) -> Baseline:
    """The table of baseline.csv with each characteristic's levels beneath its name."""
    roles = [str(name) for name in table.columns[2:]]
    groups = tuple(
        Characteristic(
            str(name),
            tuple(zip(rows["level"], rows[roles].itertuples(index=False, name=None), strict=True)),
        )
        for name, rows in table.groupby("characteristic", sort=False)
    )
    return Baseline(tuple(words(role).capitalize() for role in roles), groups, source)


def _reason(each: Mapping[str, Any]) -> str:
    return f"{each['reason']} ({each['kind']})"


def _sites(counted: Mapping[str, Mapping[str, int]]) -> str:
    """How many of each site were analysed, of how many found."""
    parts = [f"{site} {n['eligible']} of {n['found']}" for site, n in sorted(counted.items())]
    return f"By site: {', '.join(parts)}."


def _roles(split: pd.DataFrame, label: str, means: str) -> tuple[RoleBox, ...]:
    """The roles of the last outer fold; before them the patients of a cross-validation."""
    kept = of_fold(split, last_fold(split))
    training = kept["role"] == "train"
    part = kept["role"].astype(str).where(~training, "train/" + kept["fits"].fillna(""))
    parts = [(*said, kept.loc[part == name, label]) for name, said in PURPOSES.items()]
    folds = len(outer_folds(split)) - 1
    if folds:
        crossed = kept.loc[kept["role"] != "external", label]
        purpose = f"each judges once, in one of {folds} outer folds; next, as kept models see them"
        parts = [("test in turn", purpose, crossed), *parts]
    return tuple(
        RoleBox(words(title), len(own), f"{int(own.sum())} with {means}", purpose)
        for title, purpose, own in parts
        if len(own)
    )
