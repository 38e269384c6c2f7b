"""What MLflow shows first of a study: its models side by side, instead of every stage by date.

MLflow keeps saved views in tags of the experiment, under names of its own (read from MLflow 3.17).
An MLflow that knows others ignores these, and shows its own page.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from oncotrail.study.load import read_yaml, study_file
from oncotrail.tracking import labels
from oncotrail.tracking.store import Store

VIEW = "models"
_NAME = "Models side by side"
_BEST_BY = "validation_auc"
_BELOW = ("stage", labels.TRIAL, labels.PART)  # kinds of runs that are no model
_FIGURES = tuple(
    f"{role}_auc{end}" for role in ("validation", "test") for end in ("", "_low", "_high")
)
_CURVES = ("epoch/train_loss", "epoch/validation_loss", "epoch/validation_auc")


def show_models_first(store: Store, root: Path, study: str) -> None:
    """Give the study's experiment its view and its description; what a person changed stays."""
    experiment = store.client.get_experiment(store.experiment(study))
    wanted = {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": _BEST_BY,
        f"mlflow.sharedViewState.{VIEW}": _view(experiment.creation_time or 0),
        "mlflow.note.content": _note(root, study, experiment.experiment_id),
    }
    for name, value in wanted.items():
        if name not in experiment.tags:
            store.client.set_experiment_tag(experiment.experiment_id, name, value)


def _note(root: Path, study: str, experiment: str) -> str:
    """Links first: of a description MLflow shows one line until it is opened."""
    page = f"#/experiments/{experiment}/runs?viewStateShareKey={VIEW}"
    links = f"[{_NAME}]({page}) · [their curves]({page}&compareRunsMode=CHART)"
    declared = root / study_file(study)
    if not declared.is_file():
        return links
    asked = read_yaml(declared)["study"][study]
    return f"{links}\n\n**{asked['title']}.** {asked['question']}"


def _view(created: int) -> str:
    """The saved view: current networks and fusions, the best first; bars, then curves."""
    state = {
        "searchFilter": " and ".join(
            [*(f"tags.kind != '{kind}'" for kind in _BELOW), "tags.current = 'yes'"]
        ),
        "orderByKey": f"metrics.`{_BEST_BY}`",
        "orderByAsc": False,
        "selectedColumns": ["tags.`kind`", *(f"metrics.`{name}`" for name in _FIGURES)],
        "compareRunCharts": [
            *(_chart(name, "BAR", "figures") for name in ("validation_auc", "test_auc")),
            *(_chart(name, "LINE", "curves") for name in _CURVES),
        ],
        "compareRunSections": [
            _section("figures", "How well they tell patients apart"),
            _section("curves", "Learning curves"),
        ],
        "isAccordionReordered": True,
    }
    envelope = {"name": _NAME, "createdAt": created, "updatedAt": created}
    return json.dumps(envelope | {"state": json.dumps(state)})


def _chart(metric: str, kind: str, section: str) -> dict[str, Any]:
    chart = {
        "uuid": f"{kind}-{metric}",
        "type": kind,
        "metricKey": metric,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
    }
    if kind == "BAR":
        return chart | {"runsCountToCompare": 10}
    return chart | {
        "selectedMetricKeys": [metric],
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "selectedXAxisMetricKey": "",
    }


def _section(name: str, title: str) -> dict[str, Any]:
    return {"uuid": name, "name": title, "display": True, "isReordered": True}
