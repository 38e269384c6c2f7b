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
from oncotrail.record import RunRecord

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


@dataclass(frozen=True)
class _End:
    """The run is over, like this."""

    status: str


def open_live_run(root: Path, record: RunRecord) -> LiveRun:
    """Show the stage that `record` describes as a run in MLflow, from now on."""
    return LiveRun(root, record)


class LiveRun:
    """One run, filled by one thread in the order of the calls."""

    def __init__(self, root: Path, record: RunRecord) -> None:
        self._root = root
        self._record = record
        self._waiting: queue.SimpleQueue[_Epoch | _End] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, daemon=True, name="live-run")
        self._opened = threading.Event()
        self._leaving = False
        self._thread.start()
        atexit.register(self._leave)

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Show one epoch's figures; returns at once."""
        self._waiting.put(_Epoch(epoch, dict(values), round(time.time() * 1000)))

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
        from oncotrail.tracking.labels import epoch_metric
        from oncotrail.tracking.store import open_store, translated

        store = open_store(self._root)
        with translated(store.uri):
            run_id = _begin(store, self._record)
            if run_id is None:
                return
            self._opened.set()
            while isinstance(said := self._waiting.get(), _Epoch):
                named = {epoch_metric(name): value for name, value in said.values.items()}
                store.client.log_batch(run_id, metrics=_metrics(said, named))
            store.client.set_terminated(run_id, said.status)


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


def _metrics(said: _Epoch, named: Mapping[str, float]) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(name, value, said.milliseconds, said.epoch) for name, value in named.items()]
