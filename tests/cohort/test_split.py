"""The split: roles by patient, stratified, the same on every machine."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.cohort import tables
from oncotrail.cohort.folds import of_fold
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

CROSSED = {
    "stratify_by": "metastasis",
    "validation": 0.2,
    "cross_validation": 3,
    "external_sites": ("C",),
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


crossed_plans = st.fixed_dictionaries(
    {
        "cross_validation": st.integers(2, 6),
        "external_sites": st.sampled_from([(), ("C",)]),
        "seed": st.integers(0, 99),
    }
)


def crossed(cohort: pd.DataFrame, plan: dict[str, object]) -> pd.DataFrame:
    return split_patients(cohort, **{**CROSSED, **plan}).frame


@settings(max_examples=25, deadline=None)
@given(patients=st.integers(250, 500), seed=st.integers(0, 99), plan=crossed_plans)
def test_everybody_is_tested_exactly_once_and_in_one_role_of_each_fold(
    patients: int, seed: int, plan: dict[str, object]
) -> None:
    cohort = a_cohort(patients, seed)
    frame, last = crossed(cohort, plan), int(str(plan["cross_validation"]))
    outside = set(cohort.loc[cohort["site"].isin(plan["external_sites"]), "patient"])
    inside = set(cohort["patient"]) - outside
    assert sorted(frame.loc[frame["role"] == "test", "patient"]) == sorted(inside)
    assert sorted(frame["outer_fold"].unique()) == list(range(last + 1))
    for fold in range(last):
        assert sorted(of_fold(frame, fold)["patient"]) == sorted(inside)
    whole = of_fold(frame, last)
    assert sorted(whole["patient"]) == sorted(cohort["patient"])
    assert set(frame.loc[frame["role"] == "external", "patient"]) == outside
    assert set(whole.loc[whole["role"] == "external", "patient"]) == outside
    assert not (whole["role"] == "test").any()


@settings(max_examples=25, deadline=None)
@given(patients=st.integers(250, 500), seed=st.integers(0, 99), plan=crossed_plans)
def test_each_stratum_is_dealt_to_the_outer_folds_to_within_one(
    patients: int, seed: int, plan: dict[str, object]
) -> None:
    cohort = a_cohort(patients, seed)
    frame = crossed(cohort, plan).merge(cohort, on="patient")
    last = int(str(plan["cross_validation"]))
    for _, stratum in frame[frame["role"] != "external"].groupby(["metastasis", "site"]):
        tested = stratum.loc[stratum["role"] == "test", "outer_fold"].value_counts()
        counts = [int(tested.get(fold, 0)) for fold in range(last)]
        assert max(counts) - min(counts) <= 1
        for _, fold in stratum[stratum["role"] != "test"].groupby("outer_fold"):
            chosen = (fold["role"] == "validation").sum()
            assert abs(chosen - CROSSED["validation"] * len(fold)) <= 1


newcomers = st.text("abcdef", min_size=1, max_size=6)


def with_newcomer(cohort: pd.DataFrame, newcomer: str, label: int) -> pd.DataFrame:
    extra = pd.DataFrame({"patient": [newcomer], "site": ["A"], "metastasis": [label]})
    return pd.concat([cohort, extra], ignore_index=True)


@settings(max_examples=10, deadline=None)
@given(newcomer=newcomers, label=st.integers(0, 1))
def test_a_newcomer_reshuffles_nobody(newcomer: str, label: int) -> None:
    """Whoever stands before keeps the role; the others move on by one place."""
    cohort = a_cohort(300)
    before = split_patients(cohort, **PLAN).frame
    after = split_patients(with_newcomer(cohort, newcomer, label), **PLAN).frame
    line = list(after["patient"])
    place = line.index(newcomer)
    assert [*line[:place], *line[place + 1 :]] == list(before["patient"])
    assert list(after["role"][:place]) == list(before["role"][:place])


@settings(max_examples=10, deadline=None)
@given(newcomer=newcomers, label=st.integers(0, 1))
def test_nor_does_one_in_cross_validation(newcomer: str, label: int) -> None:
    """Everybody is tested in the same outer fold, or in the next one; lines stay as they are."""
    cohort = a_cohort(300)
    before = split_patients(cohort, **CROSSED).frame
    after = split_patients(with_newcomer(cohort, newcomer, label), **CROSSED).frame
    told, now = (
        frame[frame["role"] == "test"].set_index("patient")["outer_fold"]
        for frame in (before, after)
    )
    moved = (now[told.index] - told) % CROSSED["cross_validation"]
    assert set(moved) <= {0, 1}
    for fold in range(CROSSED["cross_validation"] + 1):
        line = list(of_fold(after, fold)["patient"])
        line.remove(newcomer)
        assert line == list(of_fold(before, fold)["patient"])


def test_a_crossed_split_is_the_same_on_two_machines_and_in_any_order() -> None:
    cohort = a_cohort(200)
    digest = split_patients(cohort, **CROSSED).digest
    assert digest == "435f09b2f5a43c32"
    shuffled = cohort.sample(frac=1, random_state=1)
    assert split_patients(shuffled, **CROSSED).digest == digest


def test_every_fold_has_inner_folds_and_patients_for_the_fusion() -> None:
    frame = split_patients(a_cohort(200), **CROSSED).frame
    training = frame["role"] == "train"
    assert (frame["inner_fold"].notna() == training).all()
    kept = frame.loc[training, "fits"] == "fusion"
    assert (kept == frame.loc[training, "inner_fold"].ge(3)).all()
    assert set(frame.loc[kept[kept].index, "outer_fold"]) == {0, 1, 2, 3}


def test_a_fold_with_one_class_says_which_and_what_to_do() -> None:
    cohort = a_cohort(120).assign(metastasis=0)
    cohort.loc[:3, "metastasis"] = 1
    cohort["site"] = "A"
    plan = {**CROSSED, "external_sites": (), "cross_validation": 6}
    says = r"in .* of outer fold \d+ all have metastasis = 0; lower cross_validation"
    with pytest.raises(TableError, match=says):
        split_patients(cohort, **plan)


@pytest.mark.parametrize("plan", [PLAN, CROSSED])
def test_a_role_that_nobody_has_is_named(plan: dict[str, object]) -> None:
    with pytest.raises(TableError, match="nobody is in validation"):
        split_patients(a_cohort(120), **{**plan, "validation": 1e-6})


def test_the_counts_are_fold_by_fold_and_their_summary_is_of_the_kept_one() -> None:
    split = split_patients(a_cohort(200), **CROSSED)
    counts = split.counts()
    assert {name.split("/")[0] for name in counts} == {"fold0", "fold1", "fold2", "fold3"}
    inside = sum(counts[f"fold{fold}/test"] for fold in range(3))
    assert inside == 200 - counts["fold3/external"]
    assert "fold3/test" not in counts
    assert split.summary().startswith("3 outer folds, each patient test in one; of all: ")
    alone = split_patients(a_cohort(200), **PLAN)
    assert alone.summary() == ", ".join(f"{n} {role}" for role, n in alone.counts().items())
