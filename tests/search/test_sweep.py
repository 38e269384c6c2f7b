from pathlib import Path

import pytest

from oncotrail.errors import TrainingFault, UserFault
from oncotrail.search.ledger import DEATHS, NUMBER, Ledger
from oncotrail.search.sampling import sampler_of
from oncotrail.search.space import distributions
from oncotrail.search.storage import Place, opened
from oncotrail.search.sweep import WorkerFault
from oncotrail.study.search import TreeParzen
from tests.search.searching import DECLARED, Heard, asked, search
from tests.search.toy import EPOCHS, objective, worked


def told(folder: Path, **more: object) -> list[tuple[object, ...]]:
    found = search(folder, **more)
    return [(t.number, t.state, dict(t.parameters), t.value, t.curves) for t in found.trials]


def test_the_declared_settings_are_trial_0_and_the_best_wins(tmp_path: Path) -> None:
    found = search(tmp_path, 6)
    assert dict(found.trials[0].parameters) == DECLARED
    assert [trial.number for trial in found.trials] == list(range(6))
    assert found.winner.value == max(trial.value or 0 for trial in found.trials)
    assert found.winner.value > found.trials[0].value
    assert set(found.importance) == set(DECLARED)
    assert sum(found.importance.values()) == pytest.approx(1)
    assert [number for number, _ in found.best_so_far()] == list(range(6))


def test_a_trial_has_its_curves_figures_and_files(tmp_path: Path) -> None:
    (trial,) = search(tmp_path, 1).trials
    assert [epoch for epoch, _ in trial.curves["validation_auc"]] == [1, 2, 3, 4]
    assert trial.curves["validation_auc"][-1][1] == trial.value == trial.figures["validation_auc"]
    assert (trial.folder / trial.files[0]).read_text() == "0.0001 at 4"
    assert not (trial.folder / "checkpoints").exists()


def test_one_worker_and_one_seed_give_one_result(tmp_path: Path) -> None:
    first = told(tmp_path / "a", trials=5)
    assert told(tmp_path / "b", trials=5) == first
    assert told(tmp_path / "c", trials=5, seed=2) != first


def test_more_trials_later_go_on_from_those_that_exist(tmp_path: Path) -> None:
    """In two parts or in one: the same trials; fewer than there are, the first of them."""
    whole = told(tmp_path / "whole", trials=5)
    parts = tmp_path / "parts"
    told(parts, trials=2)
    heard = Heard()
    assert told(parts, trials=5, heard=heard) == whole
    assert heard.lines[0] == "started 2"
    idle = Heard()
    assert told(parts, trials=3, heard=idle) == whole[:3]
    assert idle.lines == []


def test_a_killed_workers_trial_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    heard = Heard()
    found = search(tmp_path / "a", 3, heard=heard, code=objective(dies_once=[1]))
    cut = "cut off 1: its worker was killed by signal 9 (SIGKILL)"
    assert heard.lines[2:6] == ["started 1", cut, "started 1", "complete 1"]
    assert worked(found.trials[1].folder) == [1, 2, 3, 4], "no epoch was trained twice"
    undisturbed = search(tmp_path / "b", 3)
    assert [t.curves for t in found.trials] == [t.curves for t in undisturbed.trials]


def test_a_waiting_trial_beyond_the_budget_lets_those_within_it_pass(tmp_path: Path) -> None:
    """Whichever of them was queued first."""
    place = Place(tmp_path, "study-t4/key")
    with opened(place, "maximize") as study:
        for number in (3, 1):
            first = {"optimizer.learning_rate": 10.0**-number, "augmentation.flips": "[]"}
            study.enqueue_trial(first, user_attrs={NUMBER: number, DEATHS: 0})
        ledger = Ledger(study, distributions(asked(2).space), 2)
        start = ledger.next(sampler_of(TreeParzen(), 1))
        assert start is not None
        assert (start.number, start.sampled["optimizer.learning_rate"]) == (1, 0.1)
        assert ledger.next(sampler_of(TreeParzen(), 1)) is None
        more = Ledger(study, distributions(asked(4).space), 4)
        later = more.next(sampler_of(TreeParzen(), 1))
        assert later is not None
        assert (later.number, later.sampled["optimizer.learning_rate"]) == (3, 0.001)


def test_a_trial_that_kills_every_worker_is_given_up(tmp_path: Path) -> None:
    heard = Heard()
    found = search(tmp_path, 3, heard=heard, code=objective(dies=[1]), retries=1)
    assert [trial.state for trial in found.trials] == ["complete", "failed", "complete"]
    assert heard.lines.count("started 1") == 2
    assert "signal 9 (SIGKILL), as did 1 before" in found.trials[1].reason


def test_settings_that_diverge_fail_their_trial_alone(tmp_path: Path) -> None:
    heard = Heard()
    found = search(tmp_path, 3, heard=heard, code=objective(diverges=[1]))
    assert [trial.state for trial in found.trials] == ["complete", "failed", "complete"]
    assert "the loss is nan at rate" in found.trials[1].reason
    assert heard.lines.count("started 1") == 1, "the same settings would diverge again"


def test_nothing_to_choose_from_says_why(tmp_path: Path) -> None:
    found = search(tmp_path, 2, code=objective(diverges=[0, 1]))
    with pytest.raises(TrainingFault, match=r"none of 2 trials .*trial 1: the loss is nan"):
        _ = found.winner


def test_what_the_user_can_mend_stops_the_search_and_costs_no_trial(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match="no-such-file is missing"):
        search(tmp_path, 3, code=objective(lacks=[1]))
    found = search(tmp_path, 3)
    assert [trial.state for trial in found.trials] == ["complete"] * 3


def test_a_fault_of_ours_comes_with_the_place_where_it_happened(tmp_path: Path) -> None:
    with pytest.raises(WorkerFault, match=r"toy.py[\s\S]*ZeroDivisionError: a fault of ours"):
        search(tmp_path, 3, code=objective(breaks=[0]))


def test_a_hopeless_trial_is_pruned_and_keeps_what_it_has(tmp_path: Path) -> None:
    pruner = {"kind": "median", "startup_trials": 1}
    found = search(tmp_path, 12, pruner=pruner)
    pruned = found.of("pruned")
    assert pruned
    for trial in pruned:
        assert 1 <= len(trial.curves["validation_auc"]) < EPOCHS
        assert (trial.folder / "weights.txt").exists()
        assert trial.value == trial.curves["validation_auc"][-1][1]
    assert found.winner.state == "complete"


def test_hyperband_gives_few_trials_all_epochs(tmp_path: Path) -> None:
    found = search(tmp_path, 12, pruner={"kind": "hyperband", "reduction": 2})
    assert found.of("pruned")
    assert found.of("complete")


@pytest.mark.parametrize("seed", [1, 2])
def test_hyperband_prunes_the_same_where_workers_die(tmp_path: Path, seed: int) -> None:
    """A trial that starts anew keeps its bracket, and does not compete with itself."""
    how = {"trials": 10, "seed": seed, "pruner": {"kind": "hyperband", "reduction": 2}}
    undisturbed = told(tmp_path / "a", **how)
    assert "pruned" in [state for _, state, *_ in undisturbed]
    heard = Heard()
    disturbed = told(tmp_path / "b", heard=heard, code=objective(dies_once=list(range(10))), **how)
    assert any(line.startswith("cut off") for line in heard.lines)
    assert disturbed == undisturbed


def test_twelve_workers_on_an_empty_folder_lose_nothing(tmp_path: Path) -> None:
    heard = Heard()
    found = search(tmp_path, 24, workers=12, heard=heard, code=objective(seconds=0.01))
    assert [trial.number for trial in found.trials] == list(range(24))
    assert {trial.state for trial in found.trials} == {"complete"}
    assert len({str(trial.parameters) for trial in found.trials}) == 24, "none was tried twice"
    assert sorted(heard.epochs) == [(n, e) for n in range(24) for e in range(1, EPOCHS + 1)]


def test_a_lower_loss_wins_where_the_loss_is_the_objective(tmp_path: Path) -> None:
    found = search(tmp_path, 4, code=objective(as_loss=True), objective="validation_loss")
    assert found.winner.value == min(trial.value or 9 for trial in found.trials)
