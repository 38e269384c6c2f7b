"""Where a search's trials are kept: a file of its own (SQLite), or a PostgreSQL database.

Only the driver reads and writes it. The file is built beside its place and renamed, so a kill
leaves no half schema. What Optuna calls a study is one search here: its name is the search's key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oncotrail.errors import StageBusy, UserFault

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from sqlalchemy import URL

Direction = Literal["maximize", "minimize"]

ADDRESS = "ONCOTRAIL_SEARCH_STORAGE"  # postgresql://...; unset: a file below .oncotrail
DATABASE = "study.db"
_POSTGRESQL = ("postgresql", "postgresql+psycopg")
_EXPECTED = "expected postgresql://user:password@host/database, or leave it unset for a file."


@dataclass(frozen=True)
class Place:
    """Where one search keeps its trials: its folder, its name, and the database if not a file."""

    folder: Path
    name: str
    address: str = ""

    @classmethod
    def of(cls, folder: Path, name: str) -> Place:
        """As the environment says."""
        return cls(folder, name, os.environ.get(ADDRESS, "").strip())


@contextmanager
def opened(place: Place, direction: Direction) -> Iterator[Study]:
    """The search's study, made where it is not there; refused where another clone searches it."""
    import optuna

    with _opened_storage(place) as storage, _held_by_server(place, storage):
        yield optuna.create_study(
            storage=storage, study_name=place.name, direction=direction, load_if_exists=True
        )


def starts_of(place: Place) -> list[FrozenTrial]:
    """Every start of a search's trials; of one that the database does not know, none."""
    import optuna

    with _opened_storage(place) as storage:
        if place.name not in optuna.get_all_study_names(storage):
            return []
        study = optuna.load_study(storage=storage, study_name=place.name)
        return study.get_trials()


def forget(place: Place) -> None:
    """Remove a search from its database, if that knows it; a file of its own goes otherwise."""
    import optuna

    if not place.address:
        (place.folder / DATABASE).unlink(missing_ok=True)
        return
    with _opened_storage(place) as storage:
        if place.name in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name=place.name, storage=storage)


@contextmanager
def _opened_storage(place: Place) -> Iterator[RDBStorage]:
    import optuna
    from sqlalchemy.exc import DBAPIError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    address = _read(place.address) if place.address else None
    try:
        storage = _file(place.folder) if address is None else _server(address)
    except ImportError:
        message = (
            f"{ADDRESS} names a PostgreSQL, which needs psycopg: uv pip install --group postgresql."
        )
        raise UserFault(message) from None
    except DBAPIError as error:
        where = place.folder / DATABASE if address is None else _shown(address)
        reason = _without_secrets(" ".join(str(error.orig).split())[:300], address)
        message = (
            f"the search's database {where} cannot be used ({reason}); start it, or correct "
            f"{ADDRESS}."
        )
        raise UserFault(message) from None  # its own words may hold the password
    try:
        yield storage
    finally:
        storage.engine.dispose()


@contextmanager
def _held_by_server(place: Place, storage: RDBStorage) -> Iterator[None]:
    """One driver per search: a lock that PostgreSQL frees when this connection ends, however."""
    from sqlalchemy import text

    if not place.address:  # a file's clone has a lock of its own: search.lock
        yield
        return
    name = int.from_bytes(sha256(place.name.encode()).digest()[:8], signed=True)
    asks = text("select pg_try_advisory_lock(:name)").bindparams(name=name)
    with storage.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")  # no transaction for hours
        if not connection.execute(asks).scalar_one():
            message = (
                f"{place.name} is being searched in the database that {ADDRESS} names, from "
                "another clone or machine; wait for it, or end it."
            )
            raise StageBusy(message)
        try:
            yield
        finally:
            connection.invalidate()  # a pool would keep the connection, and with it the lock


def _file(folder: Path) -> RDBStorage:
    from optuna.storages import RDBStorage

    database = folder / DATABASE
    if not database.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = database.with_name(f".{DATABASE}.partial")
        beside.unlink(missing_ok=True)
        RDBStorage(f"sqlite:///{beside}").engine.dispose()
        beside.replace(database)
    return RDBStorage(f"sqlite:///{database}")


def _server(address: URL) -> RDBStorage:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import ArgumentError

    try:
        return RDBStorage(address.render_as_string(hide_password=False))
    except (ArgumentError, ValueError):  # of what follows its question mark
        message = f"{ADDRESS} is {_shown(address)!r} with options that cannot be; {_EXPECTED}"
        raise UserFault(message) from None


def _read(address: str) -> URL:
    """The address, taken apart; nothing is shown of one that cannot be: a password may be in it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise UserFault(f"{ADDRESS} is no address of a database; {_EXPECTED}") from None
    if url.drivername not in _POSTGRESQL or "@" in (url.host or ""):
        raise UserFault(f"{ADDRESS} is {_shown(url)!r}; {_EXPECTED}")
    return url.set(drivername="postgresql+psycopg")


def _shown(url: URL) -> str:
    """Without its password, which may also be one of its options."""
    return url.set(query={}).render_as_string(hide_password=True)


def _without_secrets(text: str, url: URL | None) -> str:
    if url is None:
        return text
    options = [one for values in url.normalized_query.values() for one in values]
    for secret in filter(None, [str(url.password or ""), *options]):
        text = text.replace(secret, "***")
    return text
