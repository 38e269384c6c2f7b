"""`make tune`: ask for more trials in the study file, show the change, and search.

The study file stays the truth about how many trials there are: a search that was asked for on a
command line alone would be gone with the next `dvc repro`.
"""

from __future__ import annotations

import copy
import difflib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from oncotrail.commands.reproduce import Reproduced, reproduce_stage
from oncotrail.errors import StudyFileError
from oncotrail.search.lock import refuse_if_held
from oncotrail.search.machine import WORKERS
from oncotrail.search.network import lock_of
from oncotrail.search.results import in_git
from oncotrail.search.watching import shown
from oncotrail.stage import WORK
from oncotrail.study.base import nearest
from oncotrail.study.file import StudyFile, read_study
from oncotrail.study.load import PARAMS, merge, read_yaml, study_file

Files = dict[Path, str]  # what each file is to say


def ask_for(root: Path, study: str, network: str, trials: int) -> Iterator[str]:
    """Write the number of trials where it is declared; yield the difference, line by line.

    Refused where the network is being searched, or the study file would not be in order.
    """
    declared = read_study(root, study)
    key = f"{study}-{network}"
    if key not in declared.network:
        known = [name.removeprefix(f"{study}-") for name in declared.network]
        raise StudyFileError(f"{study} has no network {network!r}. {nearest(network, known)}")
    refuse_if_held(lock_of(root / WORK, key), key)
    in_demo = read_yaml(root / PARAMS)["recipe"] == "demo"
    for path, text in {
        **_study_with(root / study_file(study), key, trials, in_demo=in_demo),
        **(_params_with(root / PARAMS, trials) if in_demo else {}),
    }.items():
        yield from _written(path, text, root)


def search(root: Path, key: str, workers: int, *, debug: bool) -> Reproduced:
    """Run the stage, and those before it that are out of date."""
    os.environ[WORKERS] = str(workers)
    return reproduce_stage(root, f"tune@{key}", debug=debug)


def told(root: Path, study: str, key: str) -> str:
    """What the search found, in a sentence."""
    path = root / "results" / study / in_git(key)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not found["trials"]:
        return "no trials: the declared settings pass through."
    changed = "; ".join(
        f"{name} {shown(old)} -> {shown(new)}" for name, (old, new) in found["changed"].items()
    )
    luck = found["best_of"]
    gained = f", of which about {luck['optimism']:.3f} is luck" if luck else ""
    return (
        f"trial {found['winner']} of {found['trials']} is the best: {found['objective']} "
        f"{found['value']:.3f}{gained} ({changed or 'the declared settings'})."
    )


def _study_with(path: Path, key: str, trials: int, *, in_demo: bool) -> Files:
    """The study file with so many trials for this network, and for the others what they had.

    They are asked for where they are in force: in the demo's block, if that bends them. Networks
    share settings through YAML's anchors, so a change to one can reach another.
    """
    yaml, content = _round_trip(path)
    place = ("demo", "network") if in_demo and _bends_trials(content, key) else ("network",)
    networks = _below(content, place)
    before = {name: copy.deepcopy(network.get("search")) for name, network in networks.items()}
    heirs = {name for name, network in networks.items() if _inherits_search(network)}
    asked = copy.deepcopy(before[key])
    asked["trials"] = trials
    _put(networks[key], asked, inherited=key in heirs)
    reached = _below(_parsed(_dumped(yaml, content)), place)
    for name, search in before.items():
        if name != key and reached[name].get("search") != search:
            _refuse_alias(networks, key, name, f"{path.name}: {'.'.join(place)}")
            _put(networks[name], search, inherited=name in heirs)
    text = _dumped(yaml, content)
    values = _parsed(text)
    StudyFile.read(values, path.name)
    StudyFile.read(merge(values, values.get("demo") or {}), f"{path.name}: demo")
    return {path: text}


def _bends_trials(content: Mapping[str, Any], key: str) -> bool:
    bent = ((content.get("demo") or {}).get("network") or {}).get(key) or {}
    return "trials" in (bent.get("search") or {})


def _below(content: Mapping[str, Any], place: Sequence[str]) -> Any:
    return reduce(getitem, place, content)


def _inherits_search(network: Any) -> bool:
    """Whether it has its search through YAML's merge key."""
    return any(of.get("search") is network.get("search") for of in network.merge)


def _put(network: Any, search: Any, *, inherited: bool) -> None:
    """Set a network's search; one that inherited it gets it first, before the file's next blank."""
    if inherited:
        network.insert(0, "search", search)
    else:
        network["search"] = search


def _refuse_alias(networks: Mapping[str, Any], key: str, other: str, where: str) -> None:
    """One mapping under two names cannot hold two numbers."""
    if networks[other] is networks[key] or networks[other].get("search") is None:
        message = (
            f"{where}.{other} takes its search from {key}; give {other} lines of its own (a search "
            "with its trials), so that each says how many."
        )
        raise StudyFileError(message)


def _params_with(path: Path, trials: int) -> Files:
    """params.yaml with a cap that lets so many trials through, where the demo's is lower."""
    cap = read_yaml(path)["limits"]["trials"]
    if cap is None or cap >= trials:
        return {}
    yaml, content = _round_trip(path)
    content["limits"]["trials"] = trials
    return {path: _dumped(yaml, content)}


def _round_trip(path: Path) -> tuple[Any, Any]:
    """The file's content, with its comments and order."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken that was not
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml, yaml.load(path)


def _dumped(yaml: Any, content: Any) -> str:
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _parsed(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML

    values: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return values


def _written(path: Path, text: str, root: Path) -> Iterator[str]:
    before = path.read_text(encoding="utf-8")
    if text == before:
        return
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    name = path.relative_to(root).as_posix()
    lines = difflib.unified_diff(
        before.splitlines(), text.splitlines(), f"{name} before", name, lineterm="", n=1
    )
    yield from lines
