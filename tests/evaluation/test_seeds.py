"""Several seeds: each judged as if it were the only one, and how far apart they are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import TableError
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.results import nested_figures, thresholds
from oncotrail.evaluation.seeds import LIMITS, OverSeeds
from oncotrail.statistics.uncertainty.cross_validation import seed_interval
from oncotrail.study.evaluation import METRICS
from tests.evaluation import crossed, made
from tests.evaluation.crossed import SEEDS


@pytest.fixture(scope="module")
def study() -> made.Study:
    return crossed.study()


@pytest.fixture(scope="module")
def done(study: made.Study) -> Evaluated:
    return crossed.evaluated(study)


def of_seed(study: made.Study, seed: int) -> Evaluated:
    """Evaluated as though the networks had this seed only."""
    of_fusions = ~study.predictions["model"].isin(made.NETWORKS)
    own = study.predictions["seed"] == seed
    kept = study.predictions[of_fusions | own].reset_index(drop=True)
    return crossed.evaluated(replace(study, predictions=kept))


def spread_of(done: Evaluated, model: str) -> OverSeeds:
    found = done.spread_of(model)
    assert found is not None
    return found


def test_what_is_reported_otherwise_is_the_first_seeds(study: made.Study, done: Evaluated) -> None:
    alone = of_seed(study, SEEDS[0])
    assert done.performances == alone.performances
    assert done.comparisons == alone.comparisons
    assert alone.over_seeds == ()


@pytest.mark.parametrize("place", range(len(SEEDS)))
def test_each_seed_is_judged_as_if_it_were_alone(
    study: made.Study, done: Evaluated, place: int
) -> None:
    alone = {each.model: each for each in of_seed(study, SEEDS[place]).performances}
    assert [each.model for each in done.over_seeds] == list(made.NETWORKS)
    for each in done.over_seeds:
        assert each.seeds[place] == alone[each.model]
        for role, metrics in each.roles.items():
            for metric, spread in metrics.items():
                assert spread.figures[place] == alone[each.model].roles[role].figures()[metric]


def test_mean_deviation_and_interval_are_over_the_seeds(done: Evaluated) -> None:
    for network in made.NETWORKS:
        for metric, spread in spread_of(done, network).roles["test"].items():
            values = [figure.value for figure in spread.figures]
            assert len(set(values)) == len(SEEDS)
            assert spread.mean == seed_interval(values, limits=LIMITS[metric])
            assert spread.deviation.value == pytest.approx(np.std(values, ddof=1))


def test_every_metric_has_limits() -> None:
    assert tuple(LIMITS) == METRICS


def test_a_figure_that_is_undefined_under_a_seed_has_no_spread(study: made.Study) -> None:
    rows = study.predictions
    silent = (rows["role"] == "test") & (rows["model"] == "made-t4") & (rows["seed"] == SEEDS[1])
    scores = rows["score"].mask(silent, 0.0)
    done = crossed.evaluated(replace(study, predictions=rows.assign(score=scores)))
    assert "ppv" not in spread_of(done, "made-t4").roles["test"]
    assert "accuracy" in spread_of(done, "made-t4").roles["test"]
    assert "ppv" in spread_of(done, "made-t11").roles["test"]


def test_a_seed_that_lacks_a_fold_is_refused(study: made.Study) -> None:
    rows = study.predictions
    gone = (rows["model"] == "made-t4") & (rows["seed"] == SEEDS[1]) & (rows["outer_fold"] == 1)
    with pytest.raises(TableError, match=r"outer fold 1 has no predictions of \['made-t4'\]"):
        crossed.evaluated(replace(study, predictions=rows[~gone].reset_index(drop=True)))


def test_thresholds_of_every_fold_and_seed_are_recorded(done: Evaluated) -> None:
    chose = {fold.number: fold.roles["validation"].patients for fold in done.judgement.folds}
    records = {(record.object, record.outer_fold): record for record in done.fitted_on()}
    expected = {
        (f"{model}{seed}/threshold", fold)
        for model in made.STRENGTH
        for seed in (("", "/seed1") if model in made.NETWORKS else ("",))
        for fold in chose
    }
    assert set(records) == expected
    for (_, fold), record in records.items():
        assert record.patients == chose[fold]


def test_seeds_need_no_folds() -> None:
    once = made.study()
    second = once.predictions[once.predictions["model"] == "made-t4"].assign(seed=2)
    second["score"] = second["score"] ** 2 / 2 + second["score"].rank(pct=True) / 4
    both = replace(once, predictions=pd.concat([once.predictions, second], ignore_index=True))
    done = crossed.evaluated(both)
    assert done.performances == crossed.evaluated(once).performances
    nested = nested_figures(done)
    assert "folds" not in nested["t4"]
    assert nested["t4"]["seeds"]["test"]["brier"]["deviation"]["value"] > 0
    assert "seeds" not in nested["t11"]
    assert [part["seed"] for part in thresholds(done)["made-t4"]["parts"]] == [0, 1]
