"""From params.yaml and a study file to one stage's settings.

A stage declares a `Settings` class whose fields are the sections that it reads. The rules, also
used by the test that compares dvc.yaml with the code:

- `seed`, `limits`, `compute` and `tracking` come from params.yaml;
- every other field is a section of studies/<study>.yaml: the stage's own entry of it, or, where
  the field is a dict, the whole section (a fan-in stage reads only what is declared);
- with `recipe: demo`, the study's `demo:` block bends the sections named in `BENDABLE`, and
  `limits` cap them; with `recipe: published`, neither does.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from oncotrail.errors import StudyFileError
from oncotrail.study.base import Settings, nearest

PARAMS = "params.yaml"
SHARED = ("seed", "limits", "compute", "tracking")
BY_MEMBER = ("network",)  # sections keyed by <study>-<member>; the others are keyed by study
BENDABLE = ("demo_cohort", "network", "fusion")

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """One stage's settings, and what demo block and limits changed: place -> (published, used)."""

    settings: S
    recipe: str
    bent: dict[str, tuple[Any, Any]]


def study_of(key: str) -> str:
    """The study that a stage's key belongs to.

    >>> study_of("breast_early_fusion-t4")
    'breast_early_fusion'
    """
    return key.split("-", 1)[0]


def study_file(study: str) -> str:
    """Where a study is declared, relative to the repository."""
    return f"studies/{study}.yaml"


def foreach_section(stage: Mapping[str, Any]) -> str:
    """The section that a stage of dvc.yaml runs once per entry of; none where it runs once.

    >>> foreach_section({"foreach": "${network}"}), foreach_section({"cmd": "true"})
    ('network', '')
    """
    return str(stage.get("foreach", "")).strip("${}")


def study_names(root: Path) -> list[str]:
    """The studies of this repository, by file name."""
    return sorted(path.stem for path in (root / "studies").glob("*.yaml"))


def entries(section: str, root: Path) -> list[str]:
    """The keys under which the studies of this repository declare entries of a section."""
    studies = [read_yaml(root / study_file(name)) for name in study_names(root)]
    return [key for study in studies for key in study.get(section) or {}]


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML 1.2 mapping (so that 1e-6 is a number), or an error that names line and mend."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(path)
    except FileNotFoundError:
        message = f"{path} is missing; run from the repository's root, study spelt as its file."
        raise StudyFileError(message) from None
    except YAMLError as error:
        message = f"{path} is not valid YAML: {' '.join(str(error).split())}"
        raise StudyFileError(message) from None
    if not isinstance(values, dict):
        message = f"{path} holds {type(values).__name__}; expected sections with names."
        raise StudyFileError(message)
    return values


def load(kind: type[S], key: str, root: Path, recipe: str | None = None) -> Loaded[S]:
    """The settings of one stage. `recipe` overrides params.yaml's, for a report that shows both."""
    study = study_of(key)
    shared = read_yaml(root / PARAMS)
    recipe = recipe or _recipe(shared)
    needs_study = any(name not in SHARED for name in kind.model_fields)
    declared = read_yaml(root / study_file(study)) if needs_study else {}
    used = merge(declared, declared.get("demo") or {}) if recipe == "demo" else declared
    values: dict[str, Any] = {}
    bent: dict[str, tuple[Any, Any]] = {}
    for name, field in kind.model_fields.items():
        if name in SHARED:
            values[name] = _shared(shared, name, field.annotation, recipe)
            bent |= _limits_in_force(values[name]) if name == "limits" else {}
            continue
        entry = None if is_whole_section(field.annotation) else _entry_key(name, key)
        values[name] = _entry(used, name, entry, study)
        bent |= _differences(
            _entry(declared, name, entry, study), values[name], f"{name}.{entry or ''}".rstrip(".")
        )
    return Loaded(kind.read(values, study_file(study)), recipe, bent)


def parameters_of(kind: type[Settings], key: str) -> dict[str, list[str]]:
    """The parameters that these settings depend on: file -> names, as dvc.yaml lists them."""
    names: dict[str, list[str]] = {}
    bends = False
    for name, field in kind.model_fields.items():
        if name == "limits":
            bends = True
            names.setdefault(PARAMS, []).extend(
                f"limits.{limit}" for limit in _fields(field.annotation)
            )
        elif name in SHARED:
            names.setdefault(PARAMS, []).append(name)
        else:
            entry = "" if is_whole_section(field.annotation) else f".{_entry_key(name, key)}"
            bends |= name in BENDABLE
            bent = [f"demo.{name}{entry}"] if name in BENDABLE else []
            names.setdefault(study_file(study_of(key)), []).extend([f"{name}{entry}", *bent])
    if bends:
        names.setdefault(PARAMS, []).append("recipe")
    return {file: sorted(found) for file, found in names.items()}


def is_whole_section(annotation: Any) -> bool:
    """Whether a field asks for all entries of a section (a dict) and not for one."""
    return typing.get_origin(annotation) is dict


def _entry_key(section: str, key: str) -> str:
    return key if section in BY_MEMBER else study_of(key)


def _recipe(shared: Mapping[str, Any]) -> str:
    recipe = shared.get("recipe")
    if recipe not in ("demo", "published"):
        message = f"{PARAMS}: recipe is {recipe!r}; expected demo or published."
        raise StudyFileError(message)
    return str(recipe)


def _shared(shared: Mapping[str, Any], name: str, annotation: Any, recipe: str) -> Any:
    if name not in shared:
        message = f"{PARAMS}: {name} is missing. {nearest(name, shared)}"
        raise StudyFileError(message)
    if name != "limits":
        return shared[name]
    limits = shared[name]
    missing = [limit for limit in _fields(annotation) if limit not in limits]
    if missing:
        message = f"{PARAMS}: limits.{missing[0]} is missing; write null for no limit."
        raise StudyFileError(message)
    return {limit: limits[limit] if recipe == "demo" else None for limit in _fields(annotation)}


def _limits_in_force(limits: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        f"limits.{name}": ("no limit", value) for name, value in limits.items() if value is not None
    }


def _entry(declared: Mapping[str, Any], section: str, entry: str | None, study: str) -> Any:
    if section not in declared:
        message = f"{study_file(study)}: section {section} is missing. {nearest(section, declared)}"
        raise StudyFileError(message)
    if entry is None:
        return declared[section]
    if entry not in declared[section]:
        place = f"{study_file(study)}: {section}.{entry}"
        message = f"{place} is missing. {nearest(entry, declared[section])}"
        raise StudyFileError(message)
    return declared[section][entry]


def _fields(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    if isinstance(annotation, types.UnionType):
        return [name for part in annotation.__args__ for name in _fields(part)]
    return []


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: mappings merge, everything else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge(merged[name], value) if both else value
    return merged


def _differences(published: Any, used: Any, place: str) -> dict[str, tuple[Any, Any]]:
    if isinstance(published, Mapping) and isinstance(used, Mapping):
        found: dict[str, tuple[Any, Any]] = {}
        for name in sorted({*published, *used}):
            found |= _differences(published.get(name), used.get(name), f"{place}.{name}")
        return found
    return {} if published == used else {place: (published, used)}
