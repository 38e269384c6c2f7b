"""What a search found: its trials, and the winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from oncotrail.errors import TrainingFault

State = Literal["complete", "pruned", "failed"]
Curves = Mapping[str, Sequence[Sequence[float]]]  # figure -> [[epoch, value], ...]


@dataclass(frozen=True)
class TrialResult:
    """One trial, whatever became of it, and however often it was started."""

    number: int  # 0: the declared settings
    state: State
    parameters: Mapping[str, Any]
    value: float | None  # of the objective; of a pruned trial, its last epoch's
    figures: Mapping[str, float]
    curves: Curves
    folder: Path
    files: tuple[str, ...] = ()  # below the folder
    reason: str = ""  # why it failed
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The trials of a search in the order of their numbers, and the best of them."""

    trials: tuple[TrialResult, ...]
    objective: str
    higher_is_better: bool
    importance: Mapping[str, float]  # setting -> share of the objective's variance; may be empty

    @property
    def winner(self) -> TrialResult:
        """The best complete trial; of several the first, which may be the declared settings."""
        return best(self.trials, higher_is_better=self.higher_is_better)

    def of(self, state: State) -> list[TrialResult]:
        """The trials that ended so."""
        return [trial for trial in self.trials if trial.state == state]

    def best_so_far(self) -> list[tuple[int, float]]:
        """After each complete trial, the best until then."""
        complete = self.of("complete")
        return [
            (
                trial.number,
                _value(best(complete[: place + 1], higher_is_better=self.higher_is_better)),
            )
            for place, trial in enumerate(complete)
        ]


def best(trials: Iterable[TrialResult], *, higher_is_better: bool) -> TrialResult:
    """The best complete trial; without any there is nothing to choose."""
    trials = tuple(trials)
    complete = [trial for trial in trials if trial.state == "complete"]
    if not complete:
        reasons = "; ".join(f"trial {t.number}: {t.reason}" for t in trials if t.reason)
        message = (
            f"none of {len(trials)} trials came to its end ({reasons or 'all were pruned'}); "
            "narrow the search's space, or mend what they say."
        )
        raise TrainingFault(message)
    sign = 1 if higher_is_better else -1
    return max(complete, key=lambda trial: (sign * _value(trial), -trial.number))


def _value(trial: TrialResult) -> float:
    if trial.value is None:
        raise ValueError(f"trial {trial.number} is complete and has no value.")
    return trial.value
