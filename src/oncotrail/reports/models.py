"""The models of a study with their figures, as evaluate's table.csv has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from oncotrail.reports.cells import Cell, decimals, undefined, words
from oncotrail.study.fusion import Fusion

FIGURES: Mapping[str, str] = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
# Why a figure may be undefined: it has no denominator.
UNDEFINED: Mapping[str, str] = {
    "auc": "only one outcome occurred",
    "accuracy": "nobody here",
    "sensitivity": "nobody had the outcome",
    "specificity": "everybody had the outcome",
    "ppv": "nobody was called positive",
    "npv": "nobody was called negative",
}
JUDGING = ("external", "test")  # the strictest first
CHOOSING = "validation"
PATIENTS: Mapping[str, str] = {
    "external": "patients of held-out sites",
    "test": "test patients",
    "validation": "validation patients",
}


@dataclass(frozen=True)
class Figure:
    """A figure with its interval and the patients in its denominator."""

    value: float
    low: float
    high: float
    patients: int

    def cell(self) -> Cell:
        """The figure, and beneath it the interval and the denominator."""
        ends = f"{decimals(self.low)} to {decimals(self.high)}"
        return Cell(decimals(self.value), f"{ends}, n {self.patients:,}")


@dataclass(frozen=True)
class Judged:
    """One model on the patients of one role; an undefined figure is not in `figures`."""

    patients: int
    events: int
    figures: Mapping[str, Figure]

    def cells(self) -> tuple[Cell, ...]:
        """A cell per figure, in the order of `FIGURES`."""
        return tuple(
            self.figures[name].cell() if name in self.figures else undefined(UNDEFINED[name])
            for name in FIGURES
        )


@dataclass(frozen=True)
class Model:
    """One model's name without the study's, what it reads, and how it does by role."""

    name: str
    reads: str
    roles: Mapping[str, Judged]

    @property
    def title(self) -> str:
        """The name as words."""
        return words(self.name)


def models_of(
    study: str, table: pd.DataFrame, fusion: Fusion, networks: Iterable[str]
) -> tuple[Model, ...]:
    """The fusions in the order of the study file, then the networks by themselves."""
    reads = {name: what_it_reads(study, asked.clinical, asked.networks) for name, asked in fusion.models.items()}
    reads |= {short(study, network): "the picture alone" for network in networks}
    return tuple(
        Model(name, what, _roles(table[table["model"] == f"{study}-{name}"]))
        for name, what in reads.items()
    )


def strictest(models: Iterable[Model]) -> str:
    """The role that judges: external where there is one, else test."""
    roles = {role for model in models for role in model.roles}
    return next((role for role in JUDGING if role in roles), CHOOSING)


def short(study: str, name: str) -> str:
    """A model's name without the study's."""
    return name.removeprefix(f"{study}-")


def what_it_reads(study: str, clinical: bool, networks: tuple[str, ...]) -> str:  # noqa: FBT001
    """A column set in words.

    >>> what_it_reads("lung", True, ("lung-ct", "lung-slide"))
    'clinical record, pictures ct and slide'
    """
    pictures = " and ".join(words(short(study, name)) for name in networks)
    parts = ["clinical record"] if clinical else []
    if networks:
        parts.append(f"picture{'s' if len(networks) > 1 else ''} {pictures}")
    return ", ".join(parts)


def _roles(rows: pd.DataFrame) -> dict[str, Judged]:
    return {str(role): _judged(here) for role, here in rows.groupby("role", sort=False)}


def _judged(rows: pd.DataFrame) -> Judged:
    """Accuracy and AUC rest on everybody of the role; the other figures on some of them."""
    known = rows.dropna(subset=["value"])
    figures = {
        str(metric): Figure(float(value), float(low), float(high), int(patients))
        for metric, value, low, high, patients in zip(
            known["metric"], known["value"], known["low"], known["high"], known["patients"], strict=True
        )
    }
    return Judged(int(rows["patients"].max()), int(rows["events"].max()), figures)
