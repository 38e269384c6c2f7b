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
PROBABILITIES: Mapping[str, str] = {
    "observed_expected": "Observed / expected",
    "calibration_in_the_large": "In the large",
    "calibration_slope": "Slope",
    "brier": "Brier",
    "scaled_brier": "Scaled Brier",
    "average_precision": "Average precision",
}
# Reported, and in a table only where a publication gives them.
OTHERS: Mapping[str, str] = {"balanced_accuracy": "Balanced accuracy", "f1": "F1", "mcc": "MCC"}
# Why a figure may be undefined: it has no denominator, or no line fits.
UNDEFINED: Mapping[str, str] = {
    "auc": "only one outcome occurred",
    "accuracy": "nobody here",
    "sensitivity": "nobody had the outcome",
    "specificity": "everybody had the outcome",
    "ppv": "nobody was called positive",
    "npv": "nobody was called negative",
    "observed_expected": "nobody was expected to have the outcome",
    "calibration_in_the_large": "scores of exactly 0 or 1, or one outcome only",
    "calibration_slope": "scores of exactly 0 or 1, all equal, or perfectly apart",
    "brier": "nobody here",
    "scaled_brier": "only one outcome occurred",
    "balanced_accuracy": "only one outcome occurred",
    "f1": "nobody had the outcome and nobody was called positive",
    "mcc": "all calls, or all outcomes, are the same",
    "average_precision": "only one outcome occurred",
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
        return Cell(decimals(self.value), f"{ends}\nn = {self.patients:,}")


@dataclass(frozen=True)
class Judged:
    """One model on the patients of one role; an undefined figure is not in `figures`."""

    patients: int
    events: int
    figures: Mapping[str, Figure]

    def cells(self, names: Iterable[str]) -> tuple[Cell, ...]:
        """A cell for each of these figures."""
        return tuple(
            self.figures[name].cell() if name in self.figures else undefined(UNDEFINED[name])
            for name in names
        )


@dataclass(frozen=True)
class Model:
    """One model's name without the study's, what it reads, and how it does by role."""

    name: str
    clinical: bool
    networks: tuple[str, ...]  # whose embeddings or scores it reads, without the study
    roles: Mapping[str, Judged]

    @property
    def reads(self) -> str:
        """What it reads, in words."""
        parts = ["the clinical record"] if self.clinical else []
        return " and ".join([*parts, self.pictures] if self.networks else parts)

    @property
    def pictures(self) -> str:
        """The pictures that it reads, in words."""
        several = "s" if len(self.networks) > 1 else ""
        return f"picture{several} {' and '.join(map(words, self.networks))}"

    @property
    def title(self) -> str:
        """The name as words."""
        return words(self.name)


def models_of(
    study: str, table: pd.DataFrame, fusion: Fusion, trained: Iterable[str]
) -> tuple[Model, ...]:
    """The fusions in the order of the study file, then the networks by themselves."""
    fusions = {
        name: (asked.clinical, tuple(short(study, network) for network in asked.looks_through))
        for name, asked in fusion.models.items()
    }
    alone = {short(study, network): (False, (short(study, network),)) for network in trained}
    return tuple(
        Model(name, clinical, networks, _roles(table[table["model"] == f"{study}-{name}"]))
        for name, (clinical, networks) in (fusions | alone).items()
    )


def plainest_and_richest(models: Iterable[Model]) -> tuple[Model, Model] | None:
    """The clinical record alone, and with the most pictures; None where there is no such pair."""
    with_record = sorted(
        (model for model in models if model.clinical), key=lambda model: len(model.networks)
    )
    if not with_record or with_record[0].networks or not with_record[-1].networks:
        return None
    return with_record[0], with_record[-1]


def strictest(models: Iterable[Model]) -> str:
    """The role that judges: external where there is one, else test."""
    external, test = JUDGING
    return external if any(external in model.roles for model in models) else test


def short(study: str, name: str) -> str:
    """A model's name without the study's."""
    return name.removeprefix(f"{study}-")


def _roles(rows: pd.DataFrame) -> dict[str, Judged]:
    return {str(role): _judged(here) for role, here in rows.groupby("role", sort=False)}


def _judged(rows: pd.DataFrame) -> Judged:
    """Accuracy and AUC rest on everybody of the role; the other figures on some of them."""
    known = rows.dropna(subset=["value"])
    figures = {
        str(row["metric"]): Figure(row["value"], row["low"], row["high"], int(row["patients"]))
        for row in known.to_dict("records")
    }
    return Judged(int(rows["patients"].max()), int(rows["events"].max()), figures)
