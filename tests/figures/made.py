"""Every kind of figure, drawn from numbers that are always the same."""

from pathlib import Path

import numpy as np

from oncotrail.figures.drawing import save
from oncotrail.figures.history import history_figure
from oncotrail.figures.roc import NamedCurve, roc_figure
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.roc import roc_curve


def draw(out: Path) -> None:
    labels = np.arange(40) % 2
    scores = np.random.default_rng(3).normal(size=40) + labels
    named = NamedCurve("clinical", roc_curve(labels, scores), auc(labels, scores))
    save(roc_figure([named], "40 test patients"), out / "roc.svg", out / "roc.png")
    history = {"epoch": [1.0, 2.0], "train_loss": [0.7, 0.5], "validation_auc": [0.6, 0.7]}
    save(history_figure(history, "t4"), out / "history.svg", out / "history.png")
