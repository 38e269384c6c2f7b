"""What a study's stages say of its models: figures that belong on the models' own pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from oncotrail.graph import digest
from oncotrail.record import RunRecord, folder
from oncotrail.tracking.labels import FUSION_STAGE, NETWORK_STAGE, without_study


@dataclass(frozen=True)
class Judgement:
    """Model -> figures, and whether all of them are about the models that are here now."""

    figures: dict[str, dict[str, float]]
    fresh: bool


def judgements_of(root: Path, records: Iterable[RunRecord]) -> dict[str, Judgement]:
    """By study. A report on models that were made anew since is left out: it is about others."""
    by_study: dict[str, Judgement] = {}
    for record in records:
        before = by_study.get(record.study, Judgement({}, fresh=True))
        if not record.on_members:
            by_study[record.study] = before
        elif _judged_these(root, record):
            by_study[record.study] = Judgement(_with(before.figures, record), before.fresh)
        else:
            by_study[record.study] = Judgement(before.figures, fresh=False)
    return by_study


def _with(figures: dict[str, dict[str, float]], record: RunRecord) -> dict[str, dict[str, float]]:
    """The figures with this record's on top."""
    told = {without_study(record.study, name): own for name, own in record.on_members.items()}
    return figures | {model: {**figures.get(model, {}), **own} for model, own in told.items()}


def _judged_these(root: Path, record: RunRecord) -> bool:
    """Whether the models' folders are still the ones that this stage read."""
    models = [folder(root, record.study, stage) for stage in (NETWORK_STAGE, FUSION_STAGE)]
    read = {root / path: md5 for path, md5 in record.dependencies.items()}
    return all(model.exists() and digest(model) == read[model] for model in models if model in read)
