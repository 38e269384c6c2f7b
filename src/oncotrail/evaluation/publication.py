"""What a publication reports, beside what we found."""

from __future__ import annotations

import pandas as pd

from oncotrail.errors import StudyFileError
from oncotrail.evaluation.judged import JUDGES
from oncotrail.evaluation.performance import METRICS
from oncotrail.study.base import nearest
from oncotrail.study.question import Published


def compare_with_publication(
    published: Published, table: pd.DataFrame, study: str, role: str = JUDGES
) -> pd.DataFrame:
    """A row per published figure: model, metric, published, ours, low, high, patients, within.

    `table` is evaluate's table.csv. `within` says that the published figure lies in our interval;
    where ours is undefined, `ours`, `low`, `high` and `within` are missing.
    """
    ours = table[table["role"] == role].assign(
        model=lambda rows: rows["model"].str.removeprefix(f"{study}-")
    )
    _check_names(published, set(ours["model"]))
    wanted = pd.DataFrame(
        [
            (model, metric, figures[metric])
            for model, figures in published.figures.items()
            for metric in METRICS
            if metric in figures
        ],
        columns=["model", "metric", "published"],
    )
    found = ours.rename(columns={"value": "ours"})[
        ["model", "metric", "ours", "low", "high", "patients"]
    ]
    beside = wanted.merge(found, on=["model", "metric"], how="left", validate="one_to_one")
    within = beside["published"].between(beside["low"], beside["high"]).astype("boolean")
    return beside.assign(within=within.mask(beside["ours"].isna()))


def _check_names(published: Published, models: set[str]) -> None:
    for model, figures in published.figures.items():
        if model not in models:
            raise StudyFileError(
                f"study.published.figures has {model!r}, which is no model of this study. "
                f"{nearest(model, models)}"
            )
        for metric in figures:
            if metric not in METRICS:
                raise StudyFileError(
                    f"study.published.figures.{model} has {metric!r}. {nearest(metric, METRICS)}"
                )
