"""leaked_patient: nobody is in two roles, and every table says the role that the split says.

In a cross-validation everybody has a row in each outer fold and is test in one of them, but for the
last fold, the whole cohort's, in which nobody is; patients of external sites are in that one alone.
"""

from __future__ import annotations

import pandas as pd

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Finding, Violation, found, violation
from oncotrail.cohort.folds import outer_folds

CHECK = "leaked_patient"


def leaked_patient(evidence: Evidence) -> Finding:
    """Compare the split with itself, with the cohort, and with every table that names a patient."""
    named = {f"features of {network.name}": network.features for network in evidence.networks}
    scored = {
        f"predictions of {network.name}": network.predictions for network in evidence.networks
    }
    scored["predictions of the fusions"] = evidence.fused
    looked = {"patients of the split": evidence.split["patient"].nunique()}
    looked |= {what: len(table) for what, table in {**named, **scored}.items()}
    wrong = [*_in_two(evidence.split, "role"), *_in_two(evidence.split, "fits")]
    wrong += _not_crossed(evidence.split)
    for what, table in {"split": evidence.split, **named, **scored}.items():
        wrong += _strangers(what, table, evidence.cohort)
    for what, table in scored.items():
        wrong += _other_roles(what, table, evidence.split)
    return found(CHECK, looked, wrong)


def _in_two(split: pd.DataFrame, column: str) -> list[Violation]:
    keys = ["outer_fold", "patient"]
    once = split.dropna(subset=[column]).drop_duplicates([*keys, column])
    twice = once[once.duplicated(keys, keep=False)]
    values = " and ".join(sorted(set(twice[column])))
    patients = twice["patient"]
    says = f"{patients.nunique()} patients have two values of {column}, {values}, in one fold"
    mend = "Split by patient, not by image or row, and run the split stage again."
    return violation("split", patients, says, mend)


def _not_crossed(split: pd.DataFrame) -> list[Violation]:
    """Of several outer folds: who is not test exactly once, or not where everybody must be."""
    *crossed, last = outer_folds(split)
    if not crossed:
        return []
    inside = split[split["role"] != "external"]
    tested = inside[(inside["role"] == "test") & (inside["outer_fold"] != last)]
    times = tested.groupby("patient").size().reindex(sorted(set(inside["patient"])), fill_value=0)
    mend = "Deal patients into outer folds by patient id, and run the split stage again."
    none, several = times.index[times == 0], times.index[times > 1]
    wrong = violation("split", none, f"{len(none)} patients are test in no outer fold", mend)
    says = f"{len(several)} patients are test in more than one outer fold"
    wrong += violation("split", several, says, mend)
    kept = inside.loc[(inside["role"] == "test") & (inside["outer_fold"] == last), "patient"]
    says = f"{kept.nunique()} patients are test in the last outer fold, which nobody judges"
    wrong += violation("split", kept, says, mend)
    rows = inside.groupby("patient")["outer_fold"].nunique()
    absent = rows.index[rows <= len(crossed)]
    says = f"{len(absent)} patients have no row in some outer fold"
    wrong += violation("split", absent, says, mend)
    external = split[split["role"] == "external"]
    both = external[external["patient"].isin(times.index) | (external["outer_fold"] != last)]
    says = f"{both['patient'].nunique()} patients are external, and in the cross-validation too"
    return [*wrong, *violation("split", both["patient"], says, mend)]


def _strangers(what: str, table: pd.DataFrame, cohort: pd.DataFrame) -> list[Violation]:
    unknown = table.loc[~table["patient"].isin(cohort["patient"]), "patient"]
    says = f"{unknown.nunique()} patients are not in the cohort"
    mend = "They were excluded, or come from another study: run the stage that wrote this again."
    return violation(what, unknown, says, mend)


def _other_roles(what: str, table: pd.DataFrame, split: pd.DataFrame) -> list[Violation]:
    keys = ["patient", "outer_fold", "role"]
    known = table.merge(split[keys].drop_duplicates().assign(agreed=True), on=keys, how="left")
    wrong = table.loc[known["agreed"].isna().to_numpy(), "patient"]
    says = f"{wrong.nunique()} patients have a role here that the split does not give them"
    mend = "Take roles from split.parquet by patient id, and run the stage that wrote this again."
    return violation(what, wrong, says, mend)
