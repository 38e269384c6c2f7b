from dataclasses import replace
from pathlib import Path

import numpy as np

from oncotrail.evaluation.drawings import draw_calibration, draw_histories, draw_net_benefit
from oncotrail.evaluation.evaluated import Evaluated
from tests.evaluation import made
from tests.evaluation.conftest import evaluated


def test_a_model_that_is_certain_has_no_curve_and_the_others_do(
    study: made.Study, tmp_path: Path
) -> None:
    predictions = study.predictions.copy()
    test = predictions["role"].eq("test") & predictions["model"].eq(f"{made.STUDY}-both")
    predictions.loc[predictions.index[test][0], "score"] = 1.0
    certain = evaluated(made.Study(study.cohort, study.split, predictions))
    figures = {each.model: each.roles["test"].calibration for each in certain.performances}
    assert figures[f"{made.STUDY}-both"].calibration_slope is None
    assert figures[f"{made.STUDY}-clinical"].calibration_slope is not None
    assert [path.stat().st_size > 0 for path in draw_calibration(certain, tmp_path)] == [True, True]


def test_a_decision_curve_falls_to_nothing_where_nobody_scores_so_high(
    done: Evaluated, tmp_path: Path
) -> None:
    among = done.judged["test"]
    halved = {model: np.asarray(scores) / 2 for model, scores in among.scores.items()}
    roles = {**done.judged, "test": replace(among, scores=halved)}
    judgement = replace(done.judgement, roles=roles)
    paths = draw_net_benefit(replace(done, judgement=judgement), tmp_path)
    assert {path.name for path in paths} == {"decision.svg", "decision.png"}


def test_a_network_used_off_the_shelf_has_no_learning_curve(
    done: Evaluated, tmp_path: Path
) -> None:
    networks = []
    for name, epochs in (("t4", "1,0.7,0.8\n2,0.6,0.7\n"), ("t11", "")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "history.csv").write_text(f"epoch,train_loss,validation_loss\n{epochs}")
        networks.append((f"{made.STUDY}-{name}", folder))
    assert draw_histories(done, networks, tmp_path) == [tmp_path / "history_t4.svg"]
