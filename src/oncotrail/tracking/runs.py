"""Training seen while it trains: epochs go to MLflow as they end.

A live run is a convenience. Files are the truth, and `sync` completes the run from run.json
afterwards; so nothing here may cost the training anything. A thread imports MLflow, opens the run
and sends; a server that is away is mentioned once and then left alone.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oncotrail.errors import TrackingFault
from oncotrail.record import Nested, RunRecord

if TYPE_CHECKING:
    from mlflow.entities import Metric

    from oncotrail.tracking.store import Store

SECONDS_TO_SEND_THE_REST = 20.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Epoch:
    """One epoch's figures, and when they were known."""

    epoch: int
    values: Mapping[str, float]
    milliseconds: int
    below: str = ""  # the nested run that it is about


@dataclass(frozen=True)
class _NestedEnd:
    """A nested run is over."""

    name: str
    run: Nested


@dataclass(frozen=True)
class _End:
    """The run is over, like this."""

    status: str


_Said = _Epoch | _NestedEnd


def open_live_run(root: Path, record: RunRecord) -> LiveRun:
    """Show the stage that `record` describes as a run in MLflow, from now on."""
    return LiveRun(root, record)


class LiveRun:
    """One run, filled by one thread in the order of the calls."""

    def __init__(self, root: Path, record: RunRecord) -> None:
        self._root = root
        self._record = record
        self._waiting: queue.SimpleQueue[_Said | _End] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, daemon=True, name="live-run")
        self._opened = threading.Event()
        self._leaving = False
        self._thread.start()
        atexit.register(self._leave)

    def epoch(self, epoch: int, values: Mapping[str, float], below: str = "") -> None:
        """Show one epoch's figures, here or in the run `below`; returns at once."""
        self._waiting.put(_Epoch(epoch, dict(values), round(time.time() * 1000), below))

    def ended(self, name: str, run: Nested) -> None:
        """Show that a run below this one is over; returns at once."""
        self._waiting.put(_NestedEnd(name, run))

    def close(self, status: str = "FINISHED") -> None:
        """Send what is left and end the run."""
        atexit.unregister(self._leave)
        self._waiting.put(_End(status))
        self._thread.join(SECONDS_TO_SEND_THE_REST)

    def _leave(self) -> None:
        """The process ends without `close`: training failed. A run that is open says so."""
        self._leaving = True
        if self._opened.is_set():
            self.close("FAILED")

    def _send(self) -> None:
        try:
            self._fill()
        except RuntimeError:
            if not self._leaving:  # an interpreter that is ending imports and starts nothing more
                raise
        except TrackingFault as fault:
            _log.warning("not shown live, but complete after oncotrail sync: %s", fault)

    def _fill(self) -> None:
        """The thread's work: open the run, then send until the end comes."""
        from oncotrail.tracking.store import open_store, translated

        store = open_store(self._root)
        with translated(store.uri):
            run_id = _begin(store, self._record)
            if run_id is None:
                return
            self._opened.set()
            below = _Below(store, self._record, run_id)
            while not isinstance(said := self._waiting.get(), _End):
                if isinstance(said, _NestedEnd):
                    below.end(said)
                elif (place := below.run_of(said) if said.below else run_id) is not None:
                    store.client.log_batch(place, metrics=_metrics(said))
            below.end_all(said.status)
            store.client.set_terminated(run_id, said.status)


class _Below:
    """The nested runs of a live run: opened with their first epoch, and each ended on its own."""

    def __init__(self, store: Store, record: RunRecord, parent: str) -> None:
        self._store, self._record, self._parent = store, record, parent
        self._open: dict[str, str] = {}  # name -> run id
        self._shown: dict[str, int] = {}  # name -> last epoch

    def run_of(self, said: _Epoch) -> str | None:
        """Where to show this epoch; nowhere if it was shown before its trial was cut off."""
        if said.epoch <= self._shown.get(said.below, 0):
            return None
        self._shown[said.below] = said.epoch
        if said.below not in self._open:
            self._open[said.below] = self._begun(said.below)
        return self._open[said.below]

    def end(self, said: _NestedEnd) -> None:
        """Say how it ended. Its files come with `sync`, when they are where they belong."""
        from mlflow.entities import Param, RunTag

        from oncotrail.tracking import labels

        run_id = self._open.pop(said.name, None) or self._begun(said.name)
        params = [Param(name, value) for name, value in labels.texts(said.run.params).items()]
        tags = [RunTag(name, value) for name, value in said.run.tags.items()]
        self._store.client.log_batch(run_id, params=params, tags=tags)
        self._store.client.set_terminated(run_id, "FINISHED")

    def end_all(self, status: str) -> None:
        """The parent ends: so do those that are still open."""
        for run_id in self._open.values():
            self._store.client.set_terminated(run_id, status)

    def _begun(self, name: str) -> str:
        """A run of this name below the parent; the unfinished one of a kill gives way."""
        from oncotrail.tracking import labels
        from oncotrail.tracking.unfinished import end_abandoned, this_process

        experiment = self._store.experiment(self._record.study)
        end_abandoned(self._store, [experiment], making=labels.nested_key(self._record, name))
        tags = labels.nested_tags(self._record, name) | {
            labels.PARENT: self._parent,
            labels.PROCESS: this_process(),
        }
        run = self._store.client.create_run(experiment, tags=tags, run_name=name)
        return str(run.info.run_id)


def _begin(store: Store, record: RunRecord) -> str | None:
    """A new run for this record, or None where MLflow has it: the same key is the same run."""
    from mlflow.entities import Param

    from oncotrail.tracking import labels
    from oncotrail.tracking.unfinished import end_abandoned, this_process

    experiment = store.experiment(record.study)
    end_abandoned(store, [experiment], making=record.key)
    if store.runs([experiment], f"tags.`{labels.KEY}` = '{record.key}'"):
        return None
    tags = labels.run_tags(record) | {labels.PROCESS: this_process()}
    run = store.client.create_run(experiment, tags=tags, run_name=labels.run_name(record))
    params = [Param(name, value) for name, value in labels.texts(record.params).items()]
    store.client.log_batch(run.info.run_id, params=params)
    return str(run.info.run_id)


def _metrics(said: _Epoch) -> list[Metric]:
    from mlflow.entities import Metric

    from oncotrail.tracking.labels import epoch_metric

    return [
        Metric(epoch_metric(name), value, said.milliseconds, said.epoch)
        for name, value in said.values.items()
    ]
