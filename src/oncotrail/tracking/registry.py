"""The model registry made to say what models.json says.

`oncotrail-<study>-<model>` for every network and fusion, with the alias `current`; and
`oncotrail-<study>` for the study's best by validation, with the alias `challenger`. One version per
model digest: a model that comes back gets its old version, and the alias points there again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oncotrail.serving.catalogue import CATALOGUE, Catalogue, Entry
from oncotrail.serving.manifest import Manifest
from oncotrail.tracking import labels
from oncotrail.tracking.logged_models import DIGEST, logged_model
from oncotrail.tracking.notes import version_note
from oncotrail.tracking.store import Store, as_default, every

if TYPE_CHECKING:
    from mlflow.entities.model_registry import RegisteredModel

BEST = "challenger"
CURRENT = "current"


@dataclass(frozen=True)
class Place:
    """Where a run is in MLflow."""

    experiment: str
    run: str


@dataclass(frozen=True)
class Declared:
    """A model that the files declare."""

    study: str
    entry: Entry
    folder: Path
    is_best: bool
    best_by: str

    @property
    def names(self) -> dict[str, str]:
        """The registered models that this model should be the version of, with the alias there."""
        own = {f"oncotrail-{self.study}-{self.entry.model}": CURRENT}
        return own | ({f"oncotrail-{self.study}": BEST} if self.is_best else {})

    def digest(self) -> str:
        """Changes whenever the registry should."""
        return f"{sorted(self.names.items())} {self.entry.digest}"


@dataclass
class Registered:
    """What was done."""

    versions: int = 0
    aliases: int = 0


def declared_in(root: Path) -> list[Declared]:
    """The models of every study that has a models.json."""
    return [
        Declared(
            catalogue.study,
            entry,
            path.parent / entry.model,
            entry.model == catalogue.challenger,
            catalogue.best_by,
        )
        for path in sorted((root / "data").glob(f"*/register/{CATALOGUE}"))
        for catalogue in [Catalogue.read(path)]
        for entry in catalogue.models
    ]


def register(
    store: Store, models: Iterable[Declared], places: Mapping[str, Place], *, move_aliases: bool
) -> Registered:
    """Make the versions that are not there, and point the aliases at the declared ones."""
    done = Registered()
    wanted = list(models)
    there = _Registry(store, {model.study for model in wanted})
    for model in wanted:
        for name, alias in model.names.items():
            version = there.version(name, model.entry.digest)
            if version is None:
                there.ensure(name, model)
                version = _make(store, name, model, places.get(model.entry.run))
                done.versions += 1
            if move_aliases and there.alias(name, alias) != version:
                store.client.set_registered_model_alias(name, alias, version)
                done.aliases += 1
    return done


class _Registry:
    """What the registry has of these studies, read in two calls a study."""

    def __init__(self, store: Store, studies: Iterable[str]) -> None:
        self._store = store
        self._models: dict[str, RegisteredModel] = {}
        self._versions: dict[tuple[str, str], str] = {}  # name and digest -> version
        for study in sorted(studies):
            ours = f"name LIKE 'oncotrail-{study}%'"
            models = every(store.client.search_registered_models, ours)
            self._models |= {model.name: model for model in models}
            for version in every(store.client.search_model_versions, ours):
                self._versions[version.name, version.tags.get(DIGEST, "")] = version.version

    def version(self, name: str, digest: str) -> str | None:
        """The version of this model that has this digest."""
        found = self._versions.get((name, digest))
        return None if found is None else str(found)

    def alias(self, name: str, alias: str) -> str | None:
        """The version that an alias points to."""
        model = self._models.get(name)
        found = model.aliases.get(alias) if model else None
        return None if found is None else str(found)

    def ensure(self, name: str, model: Declared) -> None:
        """Make the registered model that the first version needs."""
        if name not in self._models:
            made = self._store.client.create_registered_model(
                name, tags={"study": model.study}, description=_about(name, model)
            )
            self._models[name] = made


def _make(store: Store, name: str, model: Declared, run: Place | None) -> str:
    """A version of `name` from this model, described so that it can be called."""
    experiment = run.experiment if run else store.experiment(model.study)
    run_id = run.run if run else None
    logged = logged_model(store, experiment, run_id, model.entry, model.folder)
    tags = {DIGEST: model.entry.digest, "kind": model.entry.kind, labels.KEY: model.entry.run}
    figures = {figure: f"{value:.4f}" for figure, value in sorted(model.entry.metrics.items())}
    with as_default(store.uri):
        made = store.client.create_model_version(
            name,
            source=f"models:/{logged.model_id}",
            run_id=run_id,
            tags=tags | figures,
            description=version_note(Manifest.read(model.folder), model.entry),
            model_id=logged.model_id,
        )
    return str(made.version)


def _about(name: str, model: Declared) -> str:
    """What a registered model is, over all its versions."""
    if model.names[name] == BEST:
        return f"The best model of study {model.study} by {model.best_by}: alias `{BEST}`."
    return (
        f"The {model.entry.kind} {model.entry.model} of study {model.study}; the alias `{CURRENT}` "
        "is the one that the repository's files hold."
    )
