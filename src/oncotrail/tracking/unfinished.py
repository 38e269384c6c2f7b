"""Runs whose process is gone: SIGKILL leaves them RUNNING in MLflow for ever.

A run being filled is tagged with its process. When that process is gone the run is marked KILLED,
and once its key is made again it is deleted (MLflow keeps deleted runs in its bin): a run that did
not finish is not mended, it is made anew. Another machine's processes cannot be seen from here, so
its runs are left alone.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from oncotrail.tracking.labels import KEY, PROCESS
from oncotrail.tracking.store import Store


def this_process() -> str:
    """Who fills the run: machine, process and when it started, because pids are used again."""
    import psutil

    return f"{platform.node()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def is_gone(process: str) -> bool:
    """Whether a process of this machine has ended.

    >>> is_gone(this_process()), is_gone("another-machine/1/0.00")
    (False, False)
    """
    import psutil

    machine, pid, started = process.rsplit("/", 2)
    if machine != platform.node():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != started
    except psutil.NoSuchProcess:
        return True


def end_abandoned(store: Store, experiments: Sequence[str], *, making: str | None = None) -> None:
    """Mark abandoned runs KILLED; delete the unfinished runs of the key that is made now."""
    for run in store.runs(experiments, "attributes.status = 'RUNNING'"):
        if is_gone(run.data.tags.get(PROCESS, "/0/0")):
            store.client.set_terminated(run.info.run_id, "KILLED")
    if making is None:
        return
    for run in store.runs(experiments, f"tags.`{KEY}` = '{making}'"):
        if run.info.status in ("KILLED", "FAILED"):
            store.client.delete_run(run.info.run_id)
