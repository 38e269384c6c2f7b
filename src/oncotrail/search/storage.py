"""Where a search's trials are kept: a file of its own (SQLite), or a PostgreSQL database.

Only the driver reads and writes it. The file is built beside its place and renamed, so a kill
leaves no half schema. What Optuna calls a study is one search here: its name is the search's key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oncotrail.errors import UserFault

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

Direction = Literal["maximize", "minimize"]

ADDRESS = "ONCOTRAIL_SEARCH_STORAGE"  # postgresql://...; unset: a file below .oncotrail
DATABASE = "study.db"
_POSTGRESQL = "postgresql"


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
    """The search's study, made where it is not there."""
    import optuna

    with _opened_storage(place) as storage:
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
    from sqlalchemy.exc import OperationalError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = _storage(place)
    except ImportError:
        message = (
            f"{ADDRESS} names a PostgreSQL, which needs psycopg: uv pip install --group postgresql."
        )
        raise UserFault(message) from None
    except OperationalError as error:
        raise UserFault(_unusable(place, error)) from error
    try:
        yield storage
    finally:
        storage.engine.dispose()


def _storage(place: Place) -> RDBStorage:
    from optuna.storages import RDBStorage

    if place.address:
        if not place.address.startswith(_POSTGRESQL):
            message = (
                f"{ADDRESS} is {_without_password(place.address)!r}; expected postgresql://..., or "
                "leave it unset for a file."
            )
            raise UserFault(message)
        return RDBStorage(place.address)
    database = place.folder / DATABASE
    if not database.exists():
        place.folder.mkdir(parents=True, exist_ok=True)
        beside = database.with_name(f".{DATABASE}.partial")
        beside.unlink(missing_ok=True)
        RDBStorage(f"sqlite:///{beside}").engine.dispose()
        beside.replace(database)
    return RDBStorage(f"sqlite:///{database}")


def _unusable(place: Place, error: Exception) -> str:
    reason = _without_password(" ".join(str(error).split())[:300])
    where = _without_password(place.address) or place.folder / DATABASE
    return (
        f"the search's database {where} cannot be used ({reason}); start it, or correct {ADDRESS}."
    )


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
