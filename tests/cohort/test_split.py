"""The split: roles by patient, stratified, the same on every machine."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.cohort import tables
from oncotrail.cohort.split import Split, split_patients
from oncotrail.errors import TableError

PLAN = {
    "stratify_by": "metastasis",
    "validation": 0.15,
    "test": 0.3,
    "external_sites": (),
    "folds": 5,
    "fusion_folds": 2,
    "seed": 7,
}


def a_cohort(patients: int, seed: int = 0) -> pd.DataFrame:
    stream = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient": [f"P-{number:05d}" for number in range(patients)],
            "site": stream.choice(["A", "B", "C"], patients, p=[0.6, 0.3, 0.1]),
            "metastasis": stream.integers(0, 2, patients),
        }
    )


@settings(max_examples=25, deadline=None)
@given(patients=st.integers(120, 500), seed=st.integers(0, 99))
def test_every_stratum_has_its_share(patients: int, seed: int) -> None:
    """Within each outcome x site, each role is within one patient of its share at either end."""
    cohort = a_cohort(patients, seed)
    frame = split_patients(cohort, **PLAN).frame.merge(cohort, on="patient")
    for _, stratum in frame.groupby(["metastasis", "site"]):
        for role, share in {"train": 0.55, "validation": 0.15, "test": 0.3}.items():
            assert abs((stratum["role"] == role).sum() - share * len(stratum)) <= 2


def test_row_order_changes_nothing() -> None:
    cohort = a_cohort(200)
    shuffled = cohort.sample(frac=1, random_state=1)
    assert split_patients(cohort, **PLAN).digest == split_patients(shuffled, **PLAN).digest


def test_another_seed_is_another_split() -> None:
    cohort = a_cohort(200)
    assert (
        split_patients(cohort, **PLAN).digest
        != split_patients(cohort, **{**PLAN, "seed": 8}).digest
    )


def test_digest_is_the_same_on_two_machines() -> None:
    """A literal: if it changes, every split in the world changes; say so under Changes results."""
    assert split_patients(a_cohort(200), **PLAN).digest == "a97b8a62e2ec6610"


def test_held_out_site_is_external_and_nothing_else_is() -> None:
    cohort = a_cohort(300)
    frame = split_patients(cohort, **{**PLAN, "external_sites": ("C",)}).frame.merge(
        cohort, on="patient"
    )
    assert ((frame["role"] == "external") == (frame["site"] == "C")).all()


def test_only_training_patients_have_folds_and_fit_something() -> None:
    frame = split_patients(a_cohort(200), **PLAN).frame
    training = frame["role"] == "train"
    assert (frame["inner_fold"].notna() == training).all()
    assert (frame["fits"].notna() == training).all()
    assert (
        frame.loc[training, "fits"].eq("fusion") == frame.loc[training, "inner_fold"].ge(3)
    ).all()


def test_unknown_external_site_is_named() -> None:
    with pytest.raises(TableError, match=r"\['Z'\] have no patients; the cohort's sites are"):
        split_patients(a_cohort(200), **{**PLAN, "external_sites": ("Z",)})


def test_role_with_one_class_is_refused() -> None:
    cohort = a_cohort(120).assign(metastasis=0)
    cohort.loc[0, "metastasis"] = 1
    with pytest.raises(TableError, match="all have metastasis = 0"):
        split_patients(cohort, **PLAN)


def test_a_patient_in_two_roles_cannot_be_built() -> None:
    frame = split_patients(a_cohort(120), **PLAN).frame
    twice = pd.concat([frame, frame.iloc[:1].assign(role="test")], ignore_index=True)
    with pytest.raises(TableError, match="one row per patient x outer_fold"):
        Split(tables.checked(tables.SPLIT, twice, "split"))
