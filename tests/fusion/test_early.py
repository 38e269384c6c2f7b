"""Early fusion: who fits, who is scored, and what happens when nobody may."""

import pandas as pd
import pytest

from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TableError
from oncotrail.fusion.early import fuse, fusion_patients
from oncotrail.study.fusion import Fusion
from tests.fusion.hand_made import FUSION, SEED, Study, a_study

STUDY = a_study()


def fused(study: Study = STUDY, plan: Fusion = FUSION):  # noqa: ANN201
    return fuse(
        "toy-clinical",
        plan.models["clinical"],
        plan,
        study.material(),
        SEED,
    )


def test_patients_that_trained_a_network_are_not_scored() -> None:
    predictions = tables.checked(tables.PREDICTIONS, fused().predictions, "predictions")
    known = predictions.merge(STUDY.split, on="patient", suffixes=("", "_split"))
    assert (known["role"] == known["role_split"]).all()
    assert set(known.loc[known["role"] == "train", "fits"]) == {"fusion"}
    expected = STUDY.split["fits"].fillna("") != "network"
    assert set(predictions["patient"]) == set(STUDY.split.loc[expected, "patient"])
    assert set(predictions["model"]) == {"toy-clinical"}
    assert set(predictions["mode"]) == {"honest"}
    assert predictions["score"].notna().all()


def test_labels_of_patients_that_do_not_fit_move_nothing() -> None:
    """Turn every other outcome round: not a digit changes."""
    keeps = set(STUDY.split.loc[STUDY.split["fits"] == "fusion", "patient"])
    turned = STUDY.cohort.copy()
    others = ~turned["patient"].isin(keeps)
    turned.loc[others, "metastasis"] = 1 - turned.loc[others, "metastasis"]
    again = fused(Study(turned, STUDY.split, STUDY.features))
    pd.testing.assert_frame_equal(again.predictions, fused().predictions)


def test_values_of_other_patients_move_nobodys_score_but_theirs() -> None:
    """A test patient of 100 with a CEA of 1000 shifts no median and no mean."""
    test = STUDY.split.loc[STUDY.split["role"] == "test", "patient"].iloc[0]
    changed = STUDY.cohort.copy()
    changed.loc[changed["patient"] == test, ["age", "cea"]] = [100.0, 1000.0]
    before = fused().predictions.set_index("patient")["score"].drop(test)
    after = fused(Study(changed, STUDY.split, STUDY.features)).predictions
    pd.testing.assert_series_equal(after.set_index("patient")["score"].drop(test), before)


def test_row_order_changes_nothing() -> None:
    shuffled = Study(
        STUDY.cohort.sample(frac=1, random_state=1),
        STUDY.split,
        {name: table.sample(frac=1, random_state=2) for name, table in STUDY.features.items()},
    )
    pd.testing.assert_frame_equal(fused(shuffled).predictions, fused().predictions)


def test_nobody_kept_for_the_fusion_is_said() -> None:
    split = STUDY.split.assign(fits=STUDY.split["fits"].replace("fusion", "network"))
    with pytest.raises(StudyFileError, match="fusion_folds to at least 1"):
        fusion_patients(split)


def test_several_outer_folds_are_refused() -> None:
    folds = pd.concat([STUDY.split, STUDY.split.assign(outer_fold=1)])
    with pytest.raises(TableError, match="several outer folds"):
        fusion_patients(folds)


def test_a_fusion_with_the_name_of_a_network_is_refused() -> None:
    with pytest.raises(StudyFileError, match="has the name of a network"):
        fuse(
            "toy-t4",
            FUSION.models["clinical"],
            FUSION,
            STUDY.material(),
            SEED,
        )


def test_unknown_outcome_is_named_with_the_nearest() -> None:
    plan = FUSION.model_copy(update={"outcome": "metastases"})
    with pytest.raises(StudyFileError, match="Did you mean 'metastasis'"):
        fused(plan=plan)
