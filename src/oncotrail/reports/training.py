"""How each network learned: its curves, which epoch was kept, and on how many patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from oncotrail.record import RunRecord
from oncotrail.reports.cells import words
from oncotrail.reports.drawings import Chart, chart
from oncotrail.study.network import Network

# What is drawn of history.csv: a chart's title, and its curves by column.
CHARTS: Mapping[str, Mapping[str, str]] = {
    "Loss by epoch, lower is better": {"train_loss": "training", "validation_loss": "validation"},
    "Accuracy and AUC by epoch, higher is better": {
        "train_accuracy": "training accuracy",
        "validation_accuracy": "validation accuracy",
        "validation_auc": "validation AUC",
    },
}
OUT_OF_FOLD = (
    " Training patients were scored by trainings that had left them out, so that a fusion of "
    "scores may learn from all of them."
)


@dataclass(frozen=True)
class NetworkTraining:
    """One network's sentence and curves."""

    name: str
    sentence: str
    charts: tuple[Chart, ...]
    source: str


def training(
    name: str, network: Network, record: RunRecord, history: pd.DataFrame
) -> NetworkTraining:
    """The curves of one network; `record` is the run of its training."""
    source = f"From train, run {record.key}."
    images = record.params["training_images"]
    started = f"{network.architecture} on {network.view}, from {network.begins_with}"
    scored = OUT_OF_FOLD if network.out_of_fold else ""
    if history.empty:
        sentence = (
            f"{started}, used off the shelf: an estimator was fitted on {images} images.{scored}"
        )
        return NetworkTraining(name, sentence, (), source)
    best = int(record.metrics["best_epoch"])
    sentence = (
        f"{started}, trained on {images} images for {len(history)} epochs; epoch {best} is kept, "
        f"the best by {words(network.best_epoch_by)}.{scored}"
    )
    charts = tuple(
        chart(title, _series(history, curves), "epoch", mark=best, within=within)
        for (title, curves), within in zip(CHARTS.items(), (None, (0.0, 1.0)), strict=True)
    )
    return NetworkTraining(name, sentence, charts, source)


def _series(
    history: pd.DataFrame, curves: Mapping[str, str]
) -> dict[str, list[tuple[float, float]]]:
    epochs = [float(epoch) for epoch in history["epoch"]]
    return {
        name: list(zip(epochs, map(float, history[column]), strict=True))
        for column, name in curves.items()
    }
