"""Section `cohort`: who is studied, and what each column of the clinical table means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from oncotrail.cohort.tables import ColumnOf, Table, cohort_table
from oncotrail.study.base import Settings


class Number(Settings):
    """A measured column. Values outside [minimum, maximum] are problems, never clipped."""

    kind: Literal["number"]
    unit: str
    minimum: float
    maximum: float
    describe: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum >= self.maximum:
            message = f"minimum {self.minimum} must be below maximum {self.maximum}"
            raise ValueError(message)
        return self


class Category(Settings):
    """A coded column. `levels` maps each code in the file to what it means."""

    kind: Literal["category"]
    levels: dict[str, str] = Field(min_length=2)
    describe: str = ""


Column = Annotated[Number | Category, Field(discriminator="kind")]


class Label(Settings):
    """A yes-or-no outcome and its coding in the source file."""

    kind: Literal["label"]
    column: str
    positive: str
    negative: str
    means: str


class TimeToEvent(Settings):
    """A survival outcome. The coding says which value is the event: nothing is guessed."""

    kind: Literal["time_to_event"]
    time: str
    event: str
    happened: str
    censored: str
    unit: Literal["days", "months", "years"]
    means: str


DeclaredOutcome = Annotated[Label | TimeToEvent, Field(discriminator="kind")]


class View(Settings):
    """One kind of image that each patient has."""

    modality: Literal["CT", "MR", "CR", "DX", "SM"]
    means: str
    required: bool = True


class Eligibility(Settings):
    """A declared reason to keep a patient out: the value of `column` must lie within the bounds."""

    column: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None
    reason: str

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.minimum is None and self.maximum is None and self.allowed is None:
            message = "give minimum, maximum or allowed"
            raise ValueError(message)
        return self


class Cohort(Settings):
    """Who is studied: identity, outcomes, views, clinical columns, eligibility."""

    patient: str
    site: str
    outcomes: dict[str, DeclaredOutcome] = Field(min_length=1)
    views: dict[str, View] = Field(min_length=1)
    clinical: dict[str, Column]
    ignored: tuple[str, ...] = ()
    eligibility: tuple[Eligibility, ...] = ()

    @model_validator(mode="after")
    def _eligibility_names_columns(self) -> Self:
        unknown = [rule.column for rule in self.eligibility if rule.column not in self.clinical]
        if unknown:
            message = f"eligibility names {unknown}, which the clinical section does not declare"
            raise ValueError(message)
        return self

    def labels(self) -> dict[str, Label]:
        """The yes-or-no outcomes."""
        return {
            name: outcome for name, outcome in self.outcomes.items() if isinstance(outcome, Label)
        }

    def times_to_event(self) -> dict[str, TimeToEvent]:
        """The survival outcomes."""
        return {
            name: outcome
            for name, outcome in self.outcomes.items()
            if isinstance(outcome, TimeToEvent)
        }

    def table(self) -> Table:
        """The declaration of this study's cohort table: every clinical value may be blank."""
        return cohort_table(
            self.labels(), self.times_to_event(), {n: _column(c) for n, c in self.clinical.items()}
        )


def _column(column: Number | Category) -> ColumnOf:
    if isinstance(column, Category):
        return ColumnOf("text", blank=True, allowed=tuple(column.levels))
    return ColumnOf("number", blank=True, low=column.minimum, high=column.maximum)
