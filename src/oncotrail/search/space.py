"""The space of a search: the study file's words as Optuna's distributions, and back to settings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oncotrail.errors import StudyFileError
from oncotrail.study.base import nearest
from oncotrail.study.search import Choice, Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Space = Sequence[Range | Choice]
Parameters = Mapping[str, Any]  # value by dotted setting


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The space as Optuna samples it, in the order of the study file."""
    return {part.setting: _distribution(part) for part in space}


def parameters(space: Space, sampled: Mapping[str, Any]) -> dict[str, Any]:
    """Optuna's values as settings: a list was a text to it."""
    return {part.setting: _decoded(part, sampled[part.setting]) for part in space}


def encoded(parameters: Parameters) -> dict[str, Any]:
    """The inverse of `parameters`."""
    return {name: _encoded(value) for name, value in parameters.items()}


def applied(settings: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Settings with these values in their places.

    >>> applied({"epochs": 5, "head": {"embedding": 10}}, {"head.embedding": 4})
    {'epochs': 5, 'head': {'embedding': 4}}
    """
    changed = dict(settings)
    for name, value in parameters.items():
        step, _, rest = name.partition(".")
        changed[step] = applied(changed[step], {rest: value}) if rest else value
    return changed


def declared(settings: Mapping[str, Any], space: Space, where: str) -> dict[str, Any]:
    """What the settings say now of everything that the space names: trial 0.

    A setting that is not there, or lies outside the space, is refused: a search that cannot come
    back to the published settings cannot say what it gained.
    """
    found: dict[str, Any] = {}
    for part in space:
        value = _looked_up(settings, part.setting, where)
        if not _holds(part, value):
            message = (
                f"{where}.search.space: {part.setting} is {_shown(value)} as declared, outside "
                f"{_extent(part)}; widen the space, for trial 0 is the declared settings."
            )
            raise StudyFileError(message)
        found[part.setting] = value
    return found


def _distribution(part: Range | Choice) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(part, Choice):
        return CategoricalDistribution([_encoded(choice) for choice in part.choices])
    if part.whole:
        return IntDistribution(
            int(part.low), int(part.high), log=part.log, step=int(part.step or 1)
        )
    return FloatDistribution(part.low, part.high, log=part.log, step=part.step)


def _encoded(value: Any) -> Any:
    """Optuna knows no lists: they travel as JSON."""
    return json.dumps(value) if isinstance(value, list | tuple) else value


def _decoded(part: Range | Choice, value: Any) -> Any:
    if isinstance(part, Choice):
        named = {_encoded(choice): choice for choice in part.choices}
        choice = named[value]
        return list(choice) if isinstance(choice, tuple) else choice
    return value


def _looked_up(settings: Mapping[str, Any], name: str, where: str) -> Any:
    inner: Any = settings
    for step in name.split("."):
        if not isinstance(inner, Mapping) or step not in inner:
            known = inner if isinstance(inner, Mapping) else ()
            message = f"{where}.search.space: there is no setting {name}. {nearest(step, known)}"
            raise StudyFileError(message)
        inner = inner[step]
    return inner


def _holds(part: Range | Choice, value: Any) -> bool:
    if isinstance(part, Choice):
        return _encoded(value) in [_encoded(choice) for choice in part.choices]
    if not isinstance(value, int if part.whole else int | float) or isinstance(value, bool):
        return False
    steps = (value - part.low) / (part.step or (1 if part.whole else math.inf))
    return part.low <= value <= part.high and math.isclose(steps, round(steps), abs_tol=1e-8)


def _extent(part: Range | Choice) -> str:
    if isinstance(part, Choice):
        return ", ".join(_shown(choice) for choice in part.choices)
    return f"[{part.low:g}, {part.high:g}]"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)
