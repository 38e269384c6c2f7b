"""From Optuna's records to results: the database is the truth about a search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.search import ledger, space
from oncotrail.search.outcome import Found, State, TrialResult
from oncotrail.study.search import Search

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

TRIALS = "trials"  # below a search's folder
CHECKPOINTS = "checkpoints"  # where an objective keeps them, below a trial's folder
IMPORTANCE_SEED = 0  # of the forest that splits the variance; more trees would not move a digit


def trial_folder(search: Path, number: int) -> Path:
    """Where a trial's files are, below its search's folder."""
    return search / TRIALS / f"{number:04d}"


def found_in(starts: Sequence[FrozenTrial], asked: Search, folder: Path) -> Found:
    """The last starts of a search's trials, as its result."""
    trials = tuple(
        result_of(start, asked, trial_folder(folder, start.user_attrs[ledger.NUMBER]))
        for start in starts
    )
    higher = not asked.objective.endswith("_loss")
    return Found(trials, asked.objective, higher, importance(starts, higher_is_better=higher))


def result_of(start: FrozenTrial, asked: Search, folder: Path) -> TrialResult:
    """One trial, from its last start."""
    attributes = start.user_attrs
    answer: dict[str, Any] = attributes.get(ledger.ANSWER, {"figures": {}, "files": (), "more": {}})
    return TrialResult(
        number=attributes[ledger.NUMBER],
        state=_state(start),
        parameters=space.parameters(asked.space, start.params),
        value=start.value,
        figures=answer["figures"],
        curves=attributes.get(ledger.CURVES, {}),
        folder=folder,
        files=tuple(answer["files"]),
        reason=attributes.get(ledger.REASON, ""),
        more=answer["more"],
    )


def importance(starts: Sequence[FrozenTrial], *, higher_is_better: bool) -> dict[str, float]:
    """Each setting's share of the objective's variance (fANOVA, Hutter 2014).

    Empty where it cannot be told: of no more complete trials than would fit a plane through the
    settings, or of equal ones.
    """
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = [start for start in starts if start.state == TrialState.COMPLETE]
    varied = {str(start.params) for start in complete}
    settings = {name for start in complete for name in start.params}
    if len(varied) <= len(settings) + 1 or len({start.value for start in complete}) == 1:
        return {}
    study = optuna.create_study(direction="maximize" if higher_is_better else "minimize")
    study.add_trials(complete)
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=IMPORTANCE_SEED))
    return {name: float(share) for name, share in found.items()}


def _state(start: FrozenTrial) -> State:
    states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    return states[start.state.name]
