"""The end of a trial that is stopped: what training would have left, had it ended there.

The loop leaves a checkpoint whenever `due` says so, and a checkpoint holds the weights of the best
epoch so far (of the moving average, where one is kept). So an end that is asked for makes the next
one due, and that one is not written: it is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from oncotrail.backbones.loop import Checkpoints
from oncotrail.backbones.snapshot import Snapshot, part_of


class Ended(Exception):
    """Training ended early, with these weights as its best."""

    def __init__(self, best_weights: Mapping[str, Tensor]) -> None:
        super().__init__("ended early")
        self.best_weights = best_weights


class EarlyEnd:
    """A run's checkpoints, until an end is asked for."""

    def __init__(self, kept: Checkpoints) -> None:
        self._kept = kept
        self.asked_for = False

    def latest(self) -> Snapshot | None:
        """The newest checkpoint."""
        return self._kept.latest()

    def due(self) -> bool:
        """Whether it is time for one, or for the end."""
        return self.asked_for or self._kept.due()

    def save(self, snapshot: Snapshot) -> None:
        """Keep it, or end with what it says is best."""
        if self.asked_for:
            raise Ended(part_of(snapshot, "best"))
        self._kept.save(snapshot)
