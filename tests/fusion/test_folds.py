"""A fusion in every outer fold: who learns, from which rows, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from oncotrail.cohort.folds import of_fold
from oncotrail.errors import StudyFileError, TableError
from oncotrail.fusion.columns import log_odds
from oncotrail.fusion.early import FusedModel, Material
from oncotrail.fusion.folds import fuse_folds, learns_from_all
from oncotrail.study.network import Network
from tests.fusion.crossed import crossed, plan
from tests.fusion.hand_made import FUSION, NETWORKS, SEED, networks

GIVEN = crossed()


def fused(given: Material = GIVEN, model: str = "clinical_t4_t11") -> dict[int, FusedModel]:
    return fuse_folds(f"toy-{model}", FUSION.models[model], FUSION, given, SEED)


def of(*out_of_fold: str) -> dict[str, Network]:
    return {
        name: network.model_copy(update={"out_of_fold": name in out_of_fold})
        for name, network in networks().items()
    }


STACKED = plan(clinical={"clinical": True}, stacked={"clinical": True, "scores": list(NETWORKS)})


def test_each_fold_has_a_fusion_of_its_own_patients() -> None:
    models = fused()
    assert sorted(models) == [0, 1, 2, 3]
    for fold, model in models.items():
        here = of_fold(GIVEN.split, fold).set_index("patient")
        assert set(model.predictions["outer_fold"]) == {fold}
        for record in model.fitted_on:
            assert record.outer_fold == fold
            assert set(here.loc[list(record.patients), "fits"]) == {"fusion"}
        scored = here[here["fits"].fillna("") != "network"]
        assert set(model.predictions["patient"]) == set(scored.index)


def test_a_fold_reads_its_own_networks_of_the_first_seed() -> None:
    for fold, model in fused().items():
        table = GIVEN.features["toy-t4"]
        own = table[(table["outer_fold"] == fold) & (table["seed"] == SEED)].set_index("patient")
        seen = model.seen["toy-t4_embedding_01"]
        pd.testing.assert_series_equal(
            seen, own.loc[seen.index, "embedding_01"], check_names=False, check_index_type=False
        )


def test_what_other_folds_say_moves_no_score() -> None:
    """Above all not what a network says that learned from a test patient of this fold."""
    before = fused()[0].predictions
    changed = {}
    for name, table in GIVEN.features.items():
        others = table["outer_fold"] != 0
        changed[name] = table.assign(embedding_00=table["embedding_00"].mask(others, 99.0))
    pd.testing.assert_frame_equal(fused(replace(GIVEN, features=changed))[0].predictions, before)


def test_test_patients_of_a_fold_move_nobodys_score_in_it_but_their_own() -> None:
    here = of_fold(GIVEN.split, 1)
    tested = here.loc[here["role"] == "test", "patient"]
    turned = GIVEN.cohort.assign(
        metastasis=GIVEN.cohort["metastasis"].mask(
            GIVEN.cohort["patient"].isin(tested), 1 - GIVEN.cohort["metastasis"]
        )
    )
    before, after = fused()[1].predictions, fused(replace(GIVEN, cohort=turned))[1].predictions
    pd.testing.assert_frame_equal(after, before)


def test_networks_out_of_fold_let_all_training_patients_fit() -> None:
    stacked = replace(GIVEN, out_of_fold=learns_from_all(STACKED, of(*NETWORKS)))
    assert stacked.out_of_fold
    for name, asked in STACKED.models.items():
        for fold, model in fuse_folds(f"toy-{name}", asked, STACKED, stacked, SEED).items():
            here = of_fold(GIVEN.split, fold)
            training = here.loc[here["role"] == "train", "patient"]
            assert set(model.fitted_on[0].patients) == set(training)
            assert set(model.predictions["patient"]) == set(here["patient"])


def test_a_score_is_read_as_its_log_odds() -> None:
    model = fuse_folds("toy-stacked", STACKED.models["stacked"], STACKED, GIVEN, SEED)[2]
    assert list(model.seen.columns[-2:]) == ["toy-t4_log_odds", "toy-t11_log_odds"]
    assert not [name for name in model.seen if "embedding" in name]
    table = GIVEN.predictions["toy-t11"]
    said = table[(table["outer_fold"] == 2) & (table["seed"] == SEED)].set_index("patient")["score"]
    expected = np.log(said / (1 - said)).loc[model.seen.index]
    np.testing.assert_allclose(model.seen["toy-t11_log_odds"], expected)
    assert model.learner.networks == NETWORKS


def test_a_score_that_its_digits_made_certain_stays_finite() -> None:
    low, high = log_odds([0.0, 1.0])
    assert np.isfinite([low, high]).all()
    assert low == pytest.approx(-high)
    assert high > log_odds([1 - 1e-9])[0]


def test_one_network_that_is_not_out_of_fold_keeps_all_models_to_the_kept_patients() -> None:
    """So that they are compared by their columns and not by how many patients they learned from."""
    models = plan(a={"clinical": False, "scores": ["toy-t4"]}, b={"clinical": True})
    assert learns_from_all(models, of("toy-t4"))
    assert not learns_from_all(models, of("toy-t11"))
    both = plan(
        a={"clinical": False, "scores": ["toy-t4"]}, b={"clinical": True, "networks": ["toy-t11"]}
    )
    assert not learns_from_all(both, of("toy-t4"))
    assert not learns_from_all(plan(b={"clinical": True}), of(*NETWORKS))


def test_embeddings_of_a_network_out_of_fold_are_refused() -> None:
    says = r"fusion.models.clinical_t4_t11 reads the embeddings of \['toy-t11'\].*no common axes"
    with pytest.raises(StudyFileError, match=says):
        learns_from_all(FUSION, of("toy-t11"))


def test_a_mix_in_one_model_is_refused() -> None:
    mixed = plan(mixed={"clinical": True, "networks": ["toy-t4"], "scores": ["toy-t11"]})
    says = r"models.mixed reads \['toy-t11'\], which are out of fold, and \['toy-t4'\]"
    with pytest.raises(StudyFileError, match=says):
        learns_from_all(mixed, of("toy-t11"))


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(StudyFileError, match=r"'toy-t12'\. Did you mean 'toy-t1"):
        learns_from_all(plan(a={"clinical": False, "scores": ["toy-t12"]}), of())


def test_a_network_without_a_fold_is_named() -> None:
    table = GIVEN.features["toy-t4"]
    lacking = {**GIVEN.features, "toy-t4": table[table["outer_fold"] != 2]}
    with pytest.raises(TableError, match="toy-t4 has no rows of outer fold 2"):
        fused(replace(GIVEN, features=lacking))


def test_a_score_without_its_table_is_asked_for() -> None:
    with pytest.raises(TableError, match="reads the score of toy-t4; give its predictions"):
        fuse_folds(
            "toy-stacked", STACKED.models["stacked"], STACKED, replace(GIVEN, predictions={}), SEED
        )
