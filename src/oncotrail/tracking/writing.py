"""One page, written into one run: only what the run lacks, and the seal last.

The seal is the tag that sync compares: a run without it was not finished, and is finished then.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from oncotrail.errors import ModelFault
from oncotrail.record import sha256_of
from oncotrail.tracking import labels
from oncotrail.tracking.pages import Artifact, Page
from oncotrail.tracking.store import Store
from oncotrail.tracking.unfinished import this_process

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

T = TypeVar("T")
MOST_METRICS, MOST_PARAMS, MOST_TAGS = 700, 100, 100  # MLflow's own limits are 1,000 in all


def make(store: Store, experiment: str, page: Page, parent: Mapping[str, str]) -> Run:
    """A new, empty run for this page, marked as being filled by this process."""
    seconds = page.system.get("system/seconds", 0.0)
    return store.client.create_run(
        experiment,
        start_time=_milliseconds(page.ended - seconds),
        tags={labels.KEY: page.key, labels.PROCESS: this_process(), **parent},
        run_name=page.name,
    )


def contradicts(store: Store, run: Run, page: Page) -> bool:
    """Whether the run says what the page does not: MLflow can add, but neither change nor unsay."""
    if not run.data.params.items() <= page.params.items():
        return True
    expected = {*page.metrics, *page.history, *page.system}
    strange = {name for name in run.data.metrics if not name.startswith("system/")} - expected
    if page.judged and strange:
        return True
    return any(
        not _points_in(store, run, name) <= _points(page.history[name])
        for name in page.history
        if name in run.data.metrics
    )


def complete(store: Store, run: Run, page: Page, more_tags: Mapping[str, str]) -> None:
    """Add what the run lacks of the page, and these tags, then seal it."""
    client, run_id = store.client, run.info.run_id
    files = _upload(store, run, page.artifacts)
    tags = {**page.tags, **more_tags, labels.FILES: files}
    _log(
        store,
        run,
        _lacking(page.params, run.data.params),
        _lacking_metrics(store, run, page),
        _lacking(tags, run.data.tags),
    )
    if labels.PROCESS in run.data.tags:
        client.delete_tag(run_id, labels.PROCESS)
    if run.info.status != "FINISHED":
        client.set_terminated(run_id, "FINISHED", _milliseconds(page.ended))
    client.set_tag(run_id, labels.SAID, page.digest())


def _lacking(wanted: Mapping[str, str], there: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is not there, or is there with another value; in the order wanted."""
    return [(name, value) for name, value in wanted.items() if there.get(name) != value]


def _lacking_metrics(store: Store, run: Run, page: Page) -> list[Metric]:
    """Final figures at step 0, curves at their epochs.

    Of two values at one step MLflow shows the later, so a figure that changed is logged as of now.
    """
    from mlflow.entities import Metric

    there = run.data.metrics
    when = _milliseconds(page.ended)
    now = max(when, _milliseconds(time.time()))
    metrics = [
        Metric(name, value, now if name in there else when, 0)
        for name, value in (page.metrics | page.system).items()
        if there.get(name) != value
    ]
    for name in page.history:
        known = _points_in(store, run, name) if name in there else set()
        lacking = sorted(_points(page.history[name]) - known)
        metrics += [Metric(name, value, when, epoch) for epoch, value in lacking]
    return metrics


def _log(
    store: Store,
    run: Run,
    params: list[tuple[str, str]],
    metrics: list[Metric],
    tags: list[tuple[str, str]],
) -> None:
    """In as few batches as MLflow allows: each is a transaction."""
    from mlflow.entities import Param, RunTag

    batches = zip_longest(
        _parts([Param(*pair) for pair in params], MOST_PARAMS),
        _parts(metrics, MOST_METRICS),
        _parts([RunTag(*pair) for pair in tags], MOST_TAGS),
        fillvalue=(),
    )
    for some_params, some_metrics, some_tags in batches:
        store.client.log_batch(
            run.info.run_id, params=some_params, metrics=some_metrics, tags=some_tags
        )


def _upload(store: Store, run: Run, artifacts: Mapping[str, Artifact]) -> str:
    """All files, unless these very files are there; returns the digest that says which."""
    listed = {place: artifact.sha256 for place, artifact in sorted(artifacts.items())}
    digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]
    if run.data.tags.get(labels.FILES) == digest:
        return digest
    for place, artifact in sorted(artifacts.items()):
        check(artifact)
        above = Path(place).parent.as_posix()
        store.client.log_artifact(
            run.info.run_id, str(artifact.path), None if above == "." else above
        )
    return digest


def check(artifact: Artifact) -> None:
    """Refuse a file that is not the one that its run wrote."""
    found = sha256_of(artifact.path) if artifact.path.is_file() else "no file"
    if found != artifact.sha256:
        message = (
            f"{artifact.path} should have sha256 {artifact.sha256}, found {found}; something "
            "other than its stage wrote it. Run make repro, or dvc checkout, and sync again."
        )
        raise ModelFault(message)


def _points(points: Sequence[Sequence[float]]) -> set[tuple[int, float]]:
    return {(int(epoch), value) for epoch, value in points}


def _points_in(store: Store, run: Run, name: str) -> set[tuple[int, float]]:
    history: list[Metric] = store.client.get_metric_history(run.info.run_id, name)
    return {(point.step, point.value) for point in history}


def _parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(values), size):
        yield values[first : first + size]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
