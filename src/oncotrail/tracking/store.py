"""Where MLflow keeps what it shows, ready to be used by many processes at once.

Without a setting this is `mlruns/mlflow.db` in the repository, with the artifacts beside it; with
`MLFLOW_TRACKING_URI` it is that server or database. A fresh database is built beside its place
under a file lock and renamed: processes that migrate one schema together break it for good.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.errors import TrackingFault

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FOLDER = "mlruns"
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
SQLITE = "sqlite:///"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # the stage has its own sentence for these
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")

# What MLflow must know before it is imported. A setting of the user's own is left alone, except
# where it would load pickles.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True)
class Store:
    """An open tracking store: a client, and what to tell a new experiment."""

    client: MlflowClient
    uri: str
    home: Path

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, made or restored where it is not there."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return self._create(name)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def runs(self, experiments: Sequence[str], wanted: str = "") -> list[Run]:
        """All runs of these experiments that match MLflow's filter."""
        if not experiments:
            return []
        return list(every(self.client.search_runs, list(experiments), wanted))

    def _create(self, name: str) -> str:
        with locked(self.home):
            found = self.client.get_experiment_by_name(name)  # another process was quicker
            if found is not None:
                return str(found.experiment_id)
            return str(self.client.create_experiment(name, artifact_location=self._artifacts(name)))

    def _artifacts(self, name: str) -> str | None:
        """A folder of ours for a database that we open ourselves; a server has its own place."""
        if self.uri.startswith(_DATABASES):
            return (self.home / FOLDER / ARTIFACTS / name).as_uri()
        return None


def home_of(root: Path) -> Path:
    """The repository that `root` belongs to: DVC runs queued experiments in copies below .dvc/tmp.

    >>> home_of(Path("/study/.dvc/tmp/exps/tmp1a2b")).as_posix()
    '/study'
    """
    resolved = root.resolve()
    parts = resolved.parts
    for place in range(len(parts) - 2):
        if parts[place : place + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:place])
    return resolved


def tracking_uri(root: Path) -> str:
    """The address of the store, absolute, so that it is the same from every folder."""
    home = home_of(root)
    asked = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not asked:
        return f"{SQLITE}{home / FOLDER / DATABASE}"
    if asked.startswith(SQLITE):
        return f"{SQLITE}{home / asked.removeprefix(SQLITE)}"
    if not asked.startswith((*_DATABASES, "http://", "https://")):
        message = (
            f"MLFLOW_TRACKING_URI is {without_password(asked)!r}; expected http(s)://, "
            "postgresql:// or sqlite:///, or leave it unset for the repository's own "
            f"{FOLDER}/{DATABASE}."
        )
        raise TrackingFault(message)
    return asked


def database_of(uri: str) -> Path | None:
    """The file behind an SQLite address; nothing for a server."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def open_store(root: Path) -> Store:
    """Open the store, built first where there is none. Raises `TrackingFault` if it cannot be."""
    prepare_environment()
    from mlflow import MlflowClient

    home, uri = home_of(root), tracking_uri(root)
    with translated(uri), locked(home):
        _build_database(uri, home)
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)  # the first call checks the schema
    return Store(client, uri, home)


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """What MLflow, its database or the network raises, as one sentence that says what to do."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise
        raise _unusable(uri, error) from error


@contextmanager
def as_default(uri: str) -> Iterator[None]:
    """Make this store the process's own for a while.

    MLflow's registry looks a logged model up in the default store, whichever client asks it to,
    and would make one in the current folder.
    """
    import mlflow

    become: Any = mlflow.set_tracking_uri
    is_set: Any = mlflow.is_tracking_uri_set
    before = mlflow.get_tracking_uri() if is_set() else None
    become(uri)
    try:
        yield
    finally:
        become(before)


def every(search: Callable[..., Any], *arguments: object) -> Iterator[Any]:
    """All that one of MLflow's searches finds: it answers a page at a time."""
    found = search(*arguments)
    yield from found
    while found.token:
        found = search(*arguments, page_token=found.token)
        yield from found


def prepare_environment() -> None:
    """Tell MLflow, before its import, to send nothing home, load no pickle and give up soon."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"


def without_password(uri: str) -> str:
    """An address that may be shown.

    >>> without_password("postgresql://mary:secret@host/runs")
    'postgresql://host/runs'
    """
    return re.sub(r"//[^/@]*@", "//", uri)


@contextmanager
def locked(home: Path, what: str = "store") -> Iterator[None]:
    """Hold the lock on building the store, or on another of its works; a kill frees it."""
    path = home / FOLDER / f".{what}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build_database(uri: str, home: Path) -> None:
    """Migrate a fresh SQLite database beside its place and rename it; under the lock."""
    database = database_of(uri)
    if database is None or database.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database.parent.mkdir(parents=True, exist_ok=True)
    beside = database.with_name(f".{database.name}.partial")
    beside.unlink(missing_ok=True)
    store: Any = SqlAlchemyStore  # untyped
    built = store(f"{SQLITE}{beside}", (home / FOLDER / ARTIFACTS).as_uri())
    built.engine.dispose()
    beside.replace(database)


def _unusable(uri: str, error: Exception) -> TrackingFault:
    reason = without_password(str(error).splitlines()[0])
    if database_of(uri) is None:
        mend = "start it, or correct or unset MLFLOW_TRACKING_URI"
    else:
        mend = (
            "run oncotrail sync again; if it stays so, move that file away and run oncotrail sync, "
            "which rebuilds it from the files"
        )
    place = without_password(uri)
    return TrackingFault(f"the tracking store at {place} cannot be used ({reason}); {mend}.")
