"""From files to what MLflow should show: one `Page` per run, without MLflow.

Every `data/<study>/**/run.json` is a page. A fuse run is the parent of one page per fusion model,
so that networks and fusions stand side by side; what evaluation says of a model is on its page. A
search's run is the parent of one page per trial.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from oncotrail.record import RunRecord, folder
from oncotrail.tracking import labels
from oncotrail.tracking.judgements import Judgement, judgements_of
from oncotrail.tracking.labels import FUSION_STAGE, NETWORK_STAGE
from oncotrail.tracking.notes import run_note
from oncotrail.tracking.records import Found, found_in

SPLIT_STAGE = "split"
MODEL = "model.json"
SIDECARS = Path(".oncotrail") / "runs"

# Okabe and Ito's, which those who cannot tell red from green can tell apart; yellow left out.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000")

T = TypeVar("T")


@dataclass(frozen=True)
class Artifact:
    """A file for a run's page, and the digest that it must have."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Page:
    """All that one run's page in MLflow says."""

    key: str  # the run key; a fusion model's is <the fuse run's key>/<model>
    study: str
    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    history: dict[str, list[list[float]]]  # metric -> [[epoch, value], ...]
    tags: dict[str, str]
    artifacts: dict[str, Artifact]  # where it appears -> the file
    ended: float = 0.0  # seconds since 1970, as this machine's files say
    system: dict[str, float] = field(default_factory=dict)  # what only the machine that ran knows
    facts: dict[str, str] = field(default_factory=dict)  # and its commit, its packages
    parent: str | None = None
    judged: bool = True  # whether evaluation's figures are about these very files

    def digest(self) -> str:
        """Changes whenever the page should; blind to times and machines."""
        said = [
            self.parent,
            self.name,
            self.params,
            self.metrics,
            self.history,
            self.tags,
            {place: artifact.sha256 for place, artifact in self.artifacts.items()},
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def pages_of(root: Path) -> list[Page]:
    """The pages of everything below data/, parents before their children."""
    found = found_in(root)
    judgements = judgements_of(root, (one.record for one in found))
    pages = [page for one in found for page in _pages(root, one, judgements[one.record.study])]
    return _coloured(pages)


def _coloured(pages: list[Page]) -> list[Page]:
    """Each model of a study with a colour of its own: MLflow's, by run id, often coincide."""
    names: dict[str, set[str]] = {}
    for page in pages:
        if _is_model(page):
            names.setdefault(page.study, set()).add(page.name)
    colours = {
        (study, name): COLOURS[place % len(COLOURS)]
        for study, models in names.items()
        for place, name in enumerate(sorted(models))
    }
    return [
        replace(page, tags={**page.tags, labels.COLOUR: colours[page.study, page.name]})
        if _is_model(page)
        else page
        for page in pages
    ]


def _is_model(page: Page) -> bool:
    return page.tags["kind"] not in ("stage", labels.TRIAL, labels.PART)


def _pages(root: Path, found: Found, judgement: Judgement) -> Iterator[Page]:
    """The page of one record, and below a fuse run one page per fusion model.

    What the fuse stage records of one model is said on that model's page, under its own name.
    """
    record = found.record
    run = _page(root, found, judgement)
    fusions = _fusions(record)
    is_network = record.stage == NETWORK_STAGE
    figures = judgement.figures.get(labels.model_name(record), {}) if is_network else {}
    whole = replace(
        run,
        params=_without(run.params, fusions),
        metrics=_without(run.metrics, fusions) | figures,
        artifacts=_without(run.artifacts, fusions),
    )
    yield _noted(whole, record)
    yield from (_trial(found, whole, name) for name in sorted(record.nested))
    for model in fusions:
        key = f"{run.key}/{model}"
        page = replace(
            whole,
            key=key,
            name=model,
            params=whole.params | _of(run.params, model),
            metrics=_of(run.metrics, model) | judgement.figures.get(model, {}),
            tags=run.tags | {labels.KEY: key, "kind": "fusion", "model": model},
            artifacts=_of(run.artifacts, model),
            system={},
            parent=run.key,
        )
        yield _noted(page, record)


def _trial(found: Found, whole: Page, name: str) -> Page:
    """The page of a run below this one: a search's trial."""
    record = found.record
    own = record.nested[name]
    return replace(
        whole,
        key=labels.nested_key(record, name),
        name=name,
        params=labels.texts(own.params),
        metrics=dict(own.metrics),
        history={labels.epoch_metric(figure): points for figure, points in own.history.items()},
        tags=whole.tags | labels.nested_tags(record, name) | own.tags,
        artifacts={
            place.removeprefix(f"{own.folder}/"): Artifact(found.folder / place, sha256)
            for place, sha256 in own.artifacts.items()
        },
        system={},
        parent=whole.key,
    )


def _noted(page: Page, record: RunRecord) -> Page:
    """The page with its description."""
    note = run_note(record, page.name, page.tags["kind"], page.metrics)
    return replace(page, tags=page.tags | {labels.NOTE: note})


def _page(root: Path, found: Found, judgement: Judgement) -> Page:
    record = found.record
    known = _known_here(root, record.key)
    return Page(
        key=record.key,
        study=record.study,
        name=labels.run_name(record),
        params=labels.texts(record.params),
        metrics=dict(record.metrics),
        history={labels.epoch_metric(name): points for name, points in record.history.items()},
        tags={
            **labels.run_tags(record),
            **_split_tag(root, record),
            **labels.dependency_tags(record),
        },
        artifacts={
            place: Artifact(found.folder / place, sha256)
            for place, sha256 in record.artifacts.items()
        },
        ended=(found.folder / "run.json").stat().st_mtime,
        system=known.get("figures", {}),
        facts=known.get("facts", {}),
        judged=judgement.fresh,
    )


def _fusions(record: RunRecord) -> list[str]:
    """The fusion models in a fuse stage's output: the folders with a model.json."""
    if record.stage != FUSION_STAGE:
        return []
    return sorted(Path(place).parts[0] for place in record.artifacts if place.endswith(f"/{MODEL}"))


def _of(values: Mapping[str, T], model: str) -> dict[str, T]:
    """What is named as this model's, by the rest of its name."""
    return {
        name.removeprefix(above): value
        for name, value in values.items()
        for above in _names_above(model)
        if name.startswith(above)
    }


def _without(values: Mapping[str, T], models: Iterable[str]) -> dict[str, T]:
    """What is not named as any of these models'."""
    above = tuple(name for model in models for name in _names_above(model))
    return {name: value for name, value in values.items() if not name.startswith(above)}


def _names_above(model: str) -> tuple[str, ...]:
    """How the fuse stage names what is one model's: files and figures, and its settings."""
    return (f"{model}/", f"models.{model}.")


def _split_tag(root: Path, record: RunRecord) -> dict[str, str]:
    """The digest of the split that a run used, or made."""
    made = folder(root, record.study, SPLIT_STAGE)
    uses = made.relative_to(root).as_posix() in record.dependencies or record.stage == SPLIT_STAGE
    described = made / "split.json"
    if not uses or not described.exists():
        return {}
    return {"split": str(json.loads(described.read_text(encoding="utf-8"))["digest"])}


def _known_here(root: Path, key: str) -> dict[str, Any]:
    """Seconds, memory, commit and versions of a run of this machine; nothing of a pulled one."""
    sidecar = root / SIDECARS / f"{key}.json"
    if not sidecar.exists():
        return {}
    known: dict[str, Any] = json.loads(sidecar.read_text(encoding="utf-8"))
    return known
