"""Patients to roles and folds: stratified by outcome and site, by patient, the same everywhere.

The algorithm: patients of held-out sites are external. The others are shuffled within each stratum
(outcome x site) and the strata laid end to end, so that dealing roles along the line by evenly
spaced positions gives every stratum its share to within one patient. The training patients are
dealt into folds the same way; the last `fusion_folds` of them are kept from the networks.

With cross-validation the patients of every k-th place are test in an outer fold. The others of that
fold are shuffled anew and dealt their roles as above: in one order for all folds, roles of one fold
would go with those of another. One more fold is the whole cohort, with nobody test and with the
external patients: see `cohort.folds`.

A shuffle's order comes from a digest of seed and pseudonym, not from a random stream over rows:
adding a patient does not reshuffle the others, and row order cannot matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.cohort.folds import last_fold, of_fold, outer_folds
from oncotrail.errors import TableError


@dataclass(frozen=True)
class Split:
    """A split table. One with a patient in two roles of a fold cannot be built: that is a row."""

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        tables.checked(tables.SPLIT, self.frame, "split")

    @property
    def digest(self) -> str:
        """Names who is where: two machines with the same split have the same digest."""
        ordered = self.frame.sort_values(["outer_fold", "patient"])[list(tables.SPLIT.columns)]
        return hashlib.sha256(ordered.to_csv(index=False).encode()).hexdigest()[:16]

    def counts(self) -> dict[str, int]:
        """Patients per role, training patients by what may be fitted on them; fold by fold."""
        last = last_fold(self.frame)
        named = {fold: f"fold{fold}/" if last else "" for fold in outer_folds(self.frame)}
        return {
            f"{prefix}{role}": count
            for fold, prefix in named.items()
            for role, count in _counted(of_fold(self.frame, fold)).items()
        }

    def summary(self) -> str:
        """The counts in a line; of several outer folds, those of the one that is kept."""
        last = last_fold(self.frame)
        kept = ", ".join(f"{n} {role}" for role, n in _counted(of_fold(self.frame, last)).items())
        return f"{last} outer folds, each patient test in one; of all: {kept}" if last else kept


def split_patients(
    cohort: pd.DataFrame,
    *,
    stratify_by: str,
    validation: float,
    test: float | None = None,
    cross_validation: int | None = None,
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
    cross_validation
        Outer folds, in place of `test`: everybody who is not external is test in one of them.
    folds, fusion_folds
        Training patients are dealt into `folds`; those of the last `fusion_folds` fit the fusion,
        the others the networks.
    """
    _check_sites(cohort, external_sites)
    line = _in_strata(cohort, stratify_by, str(seed))
    if cross_validation is None:
        held_out = 0.0 if test is None else test
        shares = {"test": held_out, "validation": validation, "train": 1 - held_out - validation}
        dealt = [_roles(line, external_sites, shares)]
    else:
        tested = _tested(line, external_sites, cross_validation)
        lines = [_in_strata(cohort, stratify_by, f"{seed}/{fold}") for fold in range(len(tested))]
        dealt = _crossed(lines, external_sites, validation, tested)
    numbered = [
        _with_inner_folds(frame, folds, fusion_folds).assign(outer_fold=number)
        for number, frame in enumerate(dealt)
    ]
    frame = pd.concat(numbered, ignore_index=True)
    for number in outer_folds(frame):
        fold = of_fold(frame, number)
        _check_both_classes(fold, cohort, stratify_by, several=len(dealt) > 1)
    return Split(tables.checked(tables.SPLIT, frame, "split"))


def _check_sites(cohort: pd.DataFrame, external_sites: Sequence[str]) -> None:
    absent = sorted(set(external_sites) - set(cohort["site"]))
    if absent:
        found = sorted(set(cohort["site"]))
        raise TableError(
            f"external sites {absent} have no patients; the cohort's sites are {found}."
        )


def _in_strata(cohort: pd.DataFrame, stratify_by: str, seed: str) -> pd.DataFrame:
    """Patients in an order fixed by seed and pseudonym, stratum after stratum."""
    lot = [
        hashlib.sha256(f"{seed}/{patient}".encode()).hexdigest() for patient in cohort["patient"]
    ]
    ordered = cohort.assign(lot=lot).sort_values([stratify_by, "site", "lot"])
    return ordered.reset_index(drop=True)


def _tested(line: pd.DataFrame, external_sites: Sequence[str], outer: int) -> list[set[str]]:
    """The test patients of each outer fold, and last those of the whole: nobody."""
    inside = line.loc[~line["site"].isin(external_sites), "patient"].tolist()
    return [*(set(inside[fold::outer]) for fold in range(outer)), set()]


def _crossed(
    lines: Sequence[pd.DataFrame],
    external_sites: Sequence[str],
    validation: float,
    tested: Sequence[set[str]],
) -> list[pd.DataFrame]:
    """Each outer fold's patients and roles; those of external sites are in the last one alone."""
    shares = {"validation": validation, "train": 1 - validation}
    *folds, whole = [
        _roles(line, external_sites, shares, of_fold)
        for line, of_fold in zip(lines, tested, strict=True)
    ]
    inside = [fold[fold["role"] != "external"].reset_index(drop=True) for fold in folds]
    return [*inside, whole]


def _roles(
    line: pd.DataFrame,
    external_sites: Sequence[str],
    shares: Mapping[str, float],
    tested: Collection[str] = (),
) -> pd.DataFrame:
    """Patients in line and their roles; whoever is neither external nor `tested` is dealt one."""
    role = np.full(len(line), "test", dtype=object)
    external = line["site"].isin(external_sites).to_numpy()
    role[external] = "external"
    others = ~external & ~line["patient"].isin(tested).to_numpy()
    role[others] = _dealt(int(others.sum()), shares)
    return pd.DataFrame({"patient": line["patient"].to_numpy(), "role": role})


def _dealt(count: int, shares: Mapping[str, float]) -> list[str]:
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


def _with_inner_folds(frame: pd.DataFrame, folds: int, fusion_folds: int) -> pd.DataFrame:
    """The same, its training patients dealt into folds, and to those who may learn from them."""
    training = (frame["role"] == "train").to_numpy()
    fold = np.arange(int(training.sum())) % folds
    frame["fits"] = pd.Series(pd.NA, index=frame.index, dtype="string")
    frame.loc[training, "fits"] = np.where(fold >= folds - fusion_folds, "fusion", "network")
    frame["inner_fold"] = pd.Series(pd.NA, index=frame.index, dtype="Int64")
    frame.loc[training, "inner_fold"] = fold
    return frame


def _counted(fold: pd.DataFrame) -> dict[str, int]:
    counted = _parts(fold).value_counts().sort_index()
    return {str(name): int(count) for name, count in counted.items()}


def _parts(frame: pd.DataFrame) -> pd.Series:
    """Each row's role, and for training patients what may be fitted on them."""
    what = (" for " + frame["fits"].astype("string")).fillna("")
    return pd.Series(frame["role"].astype("string") + what)


def _check_both_classes(
    fold: pd.DataFrame, cohort: pd.DataFrame, label: str, *, several: bool
) -> None:
    known = tables.join(fold, cohort[["patient", label]], "split")
    found = dict(iter(known.groupby(_parts(known))[label]))
    where, mend = "", "give the role a larger share, or the study more patients."
    if several:
        where = f" of outer fold {fold['outer_fold'].iloc[0]}"
        mend = (
            "lower cross_validation (fewer, larger outer folds) or folds, raise validation, or "
            "give the study more patients."
        )
    for part in sorted({"train for network", "validation", *found}):
        values = found.get(part, pd.Series(dtype="Int64"))
        if values.empty:
            raise TableError(f"nobody is in {part}{where}; {mend}")
        if values.nunique() < 2:  # noqa: PLR2004 - a yes-or-no outcome has two classes
            raise TableError(
                f"{len(values)} patients in {part}{where} all have {label} = {values.iloc[0]}; "
                f"{mend}"
            )
