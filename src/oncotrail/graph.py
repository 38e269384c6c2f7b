"""What dvc.yaml says of one stage: its dependencies and outputs, with the template filled in.

DVC tells a stage its name and nothing else, and a run's key needs the digests of what it read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oncotrail.errors import MissingDependency, StudyFileError
from oncotrail.study.load import foreach_section, read_yaml, study_file, study_of

_PLACEHOLDER = re.compile(r"\$\{([a-z_.]+)\}")


@dataclass(frozen=True)
class StageInGraph:
    """One stage of dvc.yaml with `${key}` and `${item...}` filled in."""

    name: str
    key: str
    command: str
    dependencies: tuple[str, ...]
    parameters: dict[str, list[str]]
    outputs: tuple[str, ...]


def stage_in_graph(name: str, key: str, root: Path) -> StageInGraph:
    """Look a stage up, as DVC would."""
    stages = read_yaml(root / "dvc.yaml")["stages"]
    if name not in stages:
        message = f"dvc.yaml has no stage {name!r}; it has {', '.join(stages)}."
        raise StudyFileError(message)
    declared = stages[name]
    template = declared.get("do", declared)
    values = _values(declared, key, root)
    return StageInGraph(
        name=name,
        key=key,
        command=_filled(template["cmd"], values),
        dependencies=tuple(_filled(path, values) for path in template.get("deps", [])),
        parameters=_parameters(template.get("params", []), values),
        outputs=tuple(
            _filled(next(iter(out)) if isinstance(out, Mapping) else out, values)
            for kind in ("outs", "metrics", "plots")
            for out in template.get(kind, [])
        ),
    )


def digest(path: Path) -> str:
    """The md5 of a file, or of a folder's files with their names; bytecode does not count."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    if not path.is_dir():
        message = f"{path} is missing, and this stage reads it; run make repro, or put it there."
        raise MissingDependency(message)
    lines = [
        f"{inner.relative_to(path).as_posix()} {digest(inner)}"
        for inner in sorted(path.rglob("*"))
        if inner.is_file() and "__pycache__" not in inner.parts
    ]
    return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def _values(declared: Mapping[str, Any], key: str, root: Path) -> dict[str, str]:
    if "foreach" not in declared:
        return {}
    section = foreach_section(declared)
    study = study_of(key)
    entries = read_yaml(root / study_file(study)).get(section) or {}
    if key not in entries:
        known = ", ".join(entries) or "nothing"
        message = f"{study_file(study)}: section {section} has no {key!r}; it has {known}."
        raise StudyFileError(message)
    item = entries[key] if isinstance(entries[key], Mapping) else {}
    return {"key": key, **{f"item.{name}": str(value) for name, value in item.items()}}


def _parameters(declared: list[Any], values: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in declared:
        for file, names in (
            entry.items() if isinstance(entry, Mapping) else [("params.yaml", [entry])]
        ):
            found.setdefault(_filled(file, values), []).extend(
                _filled(name, values) for name in names
            )
    return {file: sorted(names) for file, names in found.items()}


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)
