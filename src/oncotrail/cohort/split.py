"""Patients to roles and folds: stratified by outcome and site, by patient, the same everywhere.

The algorithm: patients of held-out sites are external. The others are shuffled within each stratum
(outcome x site) and the strata laid end to end, so that dealing roles along the line by evenly
spaced positions gives every stratum its share to within one patient. The training patients are
dealt into folds the same way; the last `fusion_folds` of them are kept from the networks.

The shuffle's order comes from a digest of seed and pseudonym, not from a random stream over rows:
adding a patient does not reshuffle the others, and row order cannot matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.errors import TableError


@dataclass(frozen=True)
class Split:
    """A split table. One with a patient in two roles cannot be built: a patient is a row."""

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        tables.checked(tables.SPLIT, self.frame, "split")

    @property
    def digest(self) -> str:
        """Names who is where: two machines with the same split have the same digest."""
        ordered = self.frame.sort_values(["outer_fold", "patient"])[list(tables.SPLIT.columns)]
        return hashlib.sha256(ordered.to_csv(index=False).encode()).hexdigest()[:16]

    def counts(self) -> dict[str, int]:
        """Patients per role, training patients by what may be fitted on them."""
        counted = _parts(self.frame).value_counts().sort_index()
        return {str(name): int(count) for name, count in counted.items()}


def split_patients(
    cohort: pd.DataFrame,
    *,
    stratify_by: str,
    validation: float,
    test: float,
    external_sites: Sequence[str],
    folds: int,
    fusion_folds: int,
    seed: int,
) -> Split:
    """Give every patient of the cohort a role, and every training patient a fold.

    Parameters
    ----------
    cohort
        The cohort table; `stratify_by` is one of its labels.
    validation, test
        Fractions of the patients that are not external.
    folds, fusion_folds
        Training patients are dealt into `folds`; those of the last `fusion_folds` fit the fusion,
        the others the networks.
    """
    absent = sorted(set(external_sites) - set(cohort["site"]))
    if absent:
        found = sorted(set(cohort["site"]))
        raise TableError(
            f"external sites {absent} have no patients; the cohort's sites are {found}."
        )
    ordered = _in_strata(cohort, stratify_by, seed)
    external = ordered["site"].isin(external_sites).to_numpy()
    role = np.where(external, "external", "train").astype(object)
    shares = {"test": test, "validation": validation, "train": 1 - test - validation}
    role[~external] = _dealt(int((~external).sum()), shares)
    frame = pd.DataFrame({"patient": ordered["patient"].to_numpy(), "role": role})
    training = (frame["role"] == "train").to_numpy()
    fold = np.arange(int(training.sum())) % folds
    frame["fits"] = pd.Series(pd.NA, index=frame.index, dtype="string")
    frame.loc[training, "fits"] = np.where(fold >= folds - fusion_folds, "fusion", "network")
    frame["outer_fold"] = 0
    frame["inner_fold"] = pd.Series(pd.NA, index=frame.index, dtype="Int64")
    frame.loc[training, "inner_fold"] = fold
    _check_both_classes(frame, cohort, stratify_by)
    return Split(tables.checked(tables.SPLIT, frame, "split"))


def _parts(frame: pd.DataFrame) -> pd.Series:
    """Each row's role, and for training patients what may be fitted on them."""
    what = (" for " + frame["fits"].astype("string")).fillna("")
    return pd.Series(frame["role"].astype("string") + what)


def _in_strata(cohort: pd.DataFrame, stratify_by: str, seed: int) -> pd.DataFrame:
    """Patients in an order fixed by seed and pseudonym, stratum after stratum."""
    lot = [
        hashlib.sha256(f"{seed}/{patient}".encode()).hexdigest() for patient in cohort["patient"]
    ]
    ordered = cohort.assign(lot=lot).sort_values([stratify_by, "site", "lot"])
    return ordered.reset_index(drop=True)


def _dealt(count: int, shares: dict[str, float]) -> list[str]:
    """Roles along a line, each as evenly spaced as its share allows.

    Each place goes to the role that is furthest behind its share, so any run of neighbours - any
    stratum - holds each role's share to within one.
    """
    given = dict.fromkeys(shares, 0)
    line = []
    for place in range(1, count + 1):
        behind = {role: share * place - given[role] for role, share in shares.items()}
        role = max(behind, key=lambda name: behind[name])
        given[role] += 1
        line.append(role)
    return line


def _check_both_classes(frame: pd.DataFrame, cohort: pd.DataFrame, label: str) -> None:
    known = tables.join(frame, cohort[["patient", label]], "split")
    for part, values in known.groupby(_parts(known))[label]:
        if values.nunique() < 2:  # noqa: PLR2004 - a yes-or-no outcome has two classes
            raise TableError(
                f"{len(values)} patients in {part} all have {label} = {values.iloc[0]}; "
                "give the role a larger share, or the study more patients."
            )
