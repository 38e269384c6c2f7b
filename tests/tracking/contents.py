"""Everything that a store shows, without what only its machine knows, for comparing two stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run, ViewType

from oncotrail.record import sha256_of
from oncotrail.tracking import labels
from oncotrail.tracking.store import Store, every, open_store


@dataclass(frozen=True)
class Shown:
    """One run's page."""

    name: str
    status: str
    parent: str | None  # its key
    params: dict[str, str]
    metrics: dict[str, float]
    history: dict[str, list[tuple[int, float]]]
    tags: dict[str, str]
    artifacts: dict[str, str]  # path -> sha256


@dataclass(frozen=True)
class Contents:
    """A whole store: run key -> page, and the registry."""

    runs: dict[str, Shown]
    versions: dict[tuple[str, str], dict[str, str]]  # model and digest -> tags
    aliases: dict[tuple[str, str], str]  # model and alias -> digest


def contents(root: Path) -> Contents:
    """Read the store of the repository at `root`."""
    store = open_store(root)
    runs = all_runs(store)
    keys = {run.info.run_id: run.data.tags[labels.KEY] for run in runs}
    versions = {(v.name, v.version): v for v in every(store.client.search_model_versions)}
    return Contents(
        {keys[run.info.run_id]: _shown(store, run, keys) for run in runs},
        {(v.name, v.tags["digest"]): dict(v.tags) for v in versions.values()},
        {
            (model.name, alias): versions[model.name, version].tags["digest"]
            for model in every(store.client.search_registered_models)
            for alias, version in model.aliases.items()
        },
    )


def all_runs(store: Store, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    experiments = [one.experiment_id for one in store.client.search_experiments()]
    return list(store.client.search_runs(experiments, run_view_type=view))


def run_of(root: Path, key: str) -> Run:
    """The one run with this key."""
    (run,) = [r for r in all_runs(open_store(root)) if r.data.tags.get(labels.KEY) == key]
    return run


def _shown(store: Store, run: Run, keys: dict[str, str]) -> Shown:
    tags = dict(run.data.tags)
    parent = tags.pop(labels.PARENT, None)
    history = {
        name: sorted(
            (m.step, m.value) for m in store.client.get_metric_history(run.info.run_id, name)
        )
        for name in run.data.metrics
        if not name.startswith("system/")
    }
    return Shown(
        name=run.info.run_name,
        status=run.info.status,
        parent=keys[parent] if parent else None,
        params=dict(run.data.params),
        metrics={n: v for n, v in run.data.metrics.items() if not n.startswith("system/")},
        history=history,
        tags=tags,
        artifacts=dict(_artifacts(store, run)),
    )


def _artifacts(store: Store, run: Run, below: str | None = None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in store.client.list_artifacts(run.info.run_id, below):
        if entry.is_dir:
            found += _artifacts(store, run, entry.path)
        else:
            local: Any = store.client.download_artifacts(run.info.run_id, entry.path)
            found.append((entry.path, sha256_of(Path(local))))
    return found
