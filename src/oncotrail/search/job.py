"""What passes between the driver of a search and its workers, as values of JSON.

    driver -> worker   a job, then after each epoch whether to go on
    worker -> driver   each epoch's figures, then how the job ended

An objective is named by its place in the code, so that another process, or another machine, finds
it: `module:function`. The function is called once per worker, with what all trials have in common,
and answers the callable that carries out each job:

    prepare(given) -> train(parameters, seed, folder, report) -> Answer

`report(epoch, figures)` raises `Stopped` where the driver finds that enough is seen. A job that is
carried out again in the same folder goes on where it was, and reports its first epochs again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

from oncotrail.errors import ModelFault, StudyFileError, TrainingFault, foreseen

Report = Callable[[int, Mapping[str, float]], None]


class Stopped(Exception):
    """The driver has seen enough of this trial."""


@dataclass(frozen=True)
class Answer:
    """What a finished trial says: its figures, files below its folder, and more for the record."""

    figures: Mapping[str, float]
    files: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


Train = Callable[[Mapping[str, Any], int, Path, Report], Answer]
Prepare = Callable[[Mapping[str, Any]], Train]


@dataclass(frozen=True)
class Objective:
    """Where the code of a trial is, and what all its trials are given."""

    place: str  # module:function
    given: Mapping[str, Any]

    def prepared(self) -> Train:
        """Import it and prepare it: in the worker."""
        module, _, name = self.place.partition(":")
        prepare = cast("Prepare", getattr(import_module(module), name))
        return prepare(self.given)


@dataclass(frozen=True)
class Job:
    """One trial to carry out."""

    parameters: Mapping[str, Any]  # hyper-parameters by name
    seed: int
    folder: str  # for its checkpoints and files; the same where it is carried out again


@dataclass(frozen=True)
class Epoch:
    """A trial's figures after one epoch; the worker waits to hear whether to go on."""

    epoch: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Done:
    """The trial ended well, or was stopped as asked."""

    answer: Answer


@dataclass(frozen=True)
class Failed:
    """The trial cannot be carried out.

    For a reason in its `parameters` (they diverge, they fit no network), that the `user` can mend
    (a file is missing), or in the `code`.
    """

    reason: str
    lies_in: Literal["parameters", "user", "code"]


@dataclass(frozen=True)
class Died:
    """The worker is gone; the trial may go on in another."""

    reason: str


Message = Epoch | Done | Failed
Event = Message | Died


def to_json(message: Message) -> dict[str, Any]:
    """A message as JSON can hold it."""
    if isinstance(message, Epoch):
        return {"epoch": message.epoch, "figures": dict(message.figures)}
    if isinstance(message, Done):
        answer = message.answer
        said = {"figures": dict(answer.figures), "files": list(answer.files)}
        return {"done": {**said, "more": dict(answer.more)}}
    return {"failed": message.reason, "lies_in": message.lies_in}


def from_json(said: Mapping[str, Any]) -> Message:
    """What `to_json` made.

    >>> from_json(to_json(Epoch(1, {"validation_auc": 0.5})))
    Epoch(epoch=1, figures={'validation_auc': 0.5})
    """
    if "epoch" in said:
        return Epoch(said["epoch"], said["figures"])
    if "done" in said:
        done = said["done"]
        return Done(Answer(done["figures"], tuple(done["files"]), done["more"]))
    return Failed(said["failed"], said["lies_in"])


def carry_out(prepared: Callable[[], Train], job: Job, ask: Callable[[Epoch], bool]) -> Message:
    """Train one trial and say how it ended; `ask` tells the driver of an epoch and hears it."""

    def report(epoch: int, figures: Mapping[str, float]) -> None:
        if not ask(Epoch(epoch, figures)):
            raise Stopped

    try:
        return Done(prepared()(job.parameters, job.seed, Path(job.folder), report))
    except Stopped:  # the objective had nothing to save
        return Done(Answer({}))
    except (TrainingFault, StudyFileError, ModelFault) as fault:
        return Failed(str(fault), "parameters")
    except Exception as error:  # noqa: BLE001  the driver raises it
        known = foreseen(error)
        if known is not None:
            return Failed(str(known), "user")
        return Failed(traceback.format_exc(), "code")
