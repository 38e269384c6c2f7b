"""A sample size that several criteria ask for: the largest of them is needed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """Patients that one criterion asks for, and the shrinkage that it stands for, if it does."""

    name: str
    n: int
    shrinkage: float | None = None


@dataclass(frozen=True)
class SampleSize:
    """Patients needed: the largest of the criteria.

    `events` are those expected among them (not rounded; None for a continuous outcome).
    `per_parameter` is the number of events for each candidate parameter, of patients for a
    continuous outcome; None where no model is developed.
    """

    n: int
    events: float | None
    per_parameter: float | None
    criteria: tuple[Criterion, ...]


def largest(
    criteria: tuple[Criterion, ...],
    *,
    events_each: float | None = None,
    parameters: int | None = None,
) -> SampleSize:
    """The size that is enough for all; `events_each` is the expected number for a patient.

    >>> criteria = (Criterion("shrinkage", 80), Criterion("overall risk", 200))
    >>> found = largest(criteria, events_each=0.1, parameters=4)
    >>> found.n, found.events, found.per_parameter
    (200, 20.0, 5.0)
    """
    n = max(one.n for one in criteria)
    events = None if events_each is None else n * events_each
    each = None if parameters is None else (n if events is None else events) / parameters
    return SampleSize(n, events, each, criteria)
