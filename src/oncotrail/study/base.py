"""The manner of every setting: typed, frozen, an unknown key refused with the nearest valid one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from oncotrail.errors import StudyFileError


class Settings(BaseModel):
    """Base of everything that a study file or params.yaml can say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    @classmethod
    def read(cls, values: Mapping[str, Any], where: str) -> Self:
        """Build from parsed YAML; `where` names the place for the error."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise StudyFileError(describe(error, where, cls)) from None

    def flat(self) -> dict[str, str | int | float | bool | None]:
        """Every value by its dotted name, lists joined by commas: what a run's page shows."""
        return dict(_flat(self.model_dump(mode="json"), ""))


def describe(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """All faults of one section, a line each, with the nearest valid key where one is unknown."""
    return "\n".join(_line(fault, where, model) for fault in error.errors())


def _line(fault: Any, where: str, model: type[BaseModel]) -> str:
    steps = [str(step) for step in fault["loc"]]
    place = f"{where}: {'.'.join(steps)}" if steps else where
    if fault["type"] == "extra_forbidden":
        keys = _valid_keys(model, steps[:-1])
        return f"{place}: unknown key. {nearest(steps[-1], keys)}"
    if fault["type"] == "missing":
        return f"{place}: this key is missing; add it."
    if fault["type"] == "value_error":
        return f"{place}: {fault['ctx']['error']}."
    return f"{place}: found {fault['input']!r}; {fault['msg'].lower()}."


def nearest(word: str, choices: Iterable[str]) -> str:
    """A sentence that names the nearest valid choice, or all of them.

    >>> nearest("epoch", ["epochs", "batch_size"])
    "Did you mean 'epochs'?"
    """
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return (
        f"Did you mean {close[0]!r}?" if close else f"Valid here: {', '.join(known) or 'nothing'}."
    )


def _flat(values: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            listed = isinstance(value, list)
            yield f"{place}{name}", ", ".join(map(str, value)) if listed else value


def _valid_keys(model: type[BaseModel], steps: list[str]) -> list[str]:
    """The keys that the (possibly nested) model at `steps` accepts."""
    found: set[type[BaseModel]] = {model}
    for step in steps:
        inner: set[type[BaseModel]] = set()
        for candidate in found:
            if step in candidate.model_fields:
                inner |= _models_in(candidate.model_fields[step].annotation)
        # A step that is no field is a dict's key, a list's index or a union's tag: stay.
        found = inner or found
    return sorted({key for candidate in found for key in candidate.model_fields})


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    arguments = getattr(annotation, "__args__", ())
    return {model for argument in arguments for model in _models_in(argument)}
