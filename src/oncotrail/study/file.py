"""A whole study file, and what its sections say of each other.

A stage reads only its own sections, so nobody else would notice that a network names a view that
the cohort does not have. `read_studies` does, before anything runs, and tells all faults at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from oncotrail.errors import StudyFileError
from oncotrail.study.base import Settings, nearest
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import METRICS, Evaluation
from oncotrail.study.fusion import Fusion, misread
from oncotrail.study.guards import Audit, Registry
from oncotrail.study.load import (
    BENDABLE,
    BY_MEMBER,
    PARAMS,
    foreach_section,
    merge,
    read_yaml,
    study_file,
    study_names,
)
from oncotrail.study.network import Network, PretrainedWeights
from oncotrail.study.params import Params
from oncotrail.study.pixels import Decode
from oncotrail.study.pretraining import Pretrain
from oncotrail.study.question import Question
from oncotrail.study.source import Acquire, DemoCohort
from oncotrail.study.split import SplitPlan

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STAGE_FOLDER = re.compile(r"data/\$\{[a-z.]+\}/([a-z_]+)")
Bends = dict[str, dict[str, Any]]


class Demo(Settings):
    """What the demo bends: parts of these sections, entry by entry."""

    demo_cohort: Bends = Field(default_factory=dict)
    network: Bends = Field(default_factory=dict)
    fusion: Bends = Field(default_factory=dict)


class StudyFile(Settings):
    """Every section that a study file may have, from top to bottom."""

    study: dict[str, Question]
    demo_cohort: dict[str, DemoCohort] = Field(default_factory=dict)
    acquire: dict[str, Acquire]
    cohort: dict[str, Cohort]
    split: dict[str, SplitPlan] = Field(default_factory=dict)
    decode: dict[str, Decode] = Field(default_factory=dict)
    pretrain: dict[str, Pretrain] = Field(default_factory=dict)
    network: dict[str, Network] = Field(default_factory=dict)
    fusion: dict[str, Fusion] = Field(default_factory=dict)
    evaluation: dict[str, Evaluation] = Field(default_factory=dict)
    audit: dict[str, Audit] = Field(default_factory=dict)
    registry: dict[str, Registry] = Field(default_factory=dict)
    demo: Demo = Field(default_factory=Demo)

    def members(self, section: str) -> list[str]:
        """What this section declares: the study itself, or its networks."""
        return list(getattr(self, section, {}))


def read_studies(root: Path) -> dict[str, StudyFile]:
    """All study files, consistent with params.yaml and dvc.yaml, or every fault at once."""
    faults: list[str] = []
    studies: dict[str, StudyFile] = {}
    _collect(faults, lambda: Params.read(read_yaml(root / PARAMS), PARAMS))
    for name in study_names(root):
        _collect(faults, lambda name=name: studies.update({name: read_study(root, name)}))
    faults += _graph_faults(read_yaml(root / "dvc.yaml"), studies, study_names(root))
    if faults:
        raise StudyFileError("\n".join(faults))
    return studies


def read_study(root: Path, name: str) -> StudyFile:
    """One study file as published and as the demo bends it, or every fault of it."""
    if name not in study_names(root):
        raise StudyFileError(f"there is no study {name!r}. {nearest(name, study_names(root))}")
    where = study_file(name)
    values = read_yaml(root / where)
    study = StudyFile.read(values, where)
    faults = [f"{where}: {fault}" for fault in faults_of(name, study)]
    if faults:
        raise StudyFileError("\n".join(faults))
    StudyFile.read(merge(values, values.get("demo") or {}), f"{where}: demo")
    return study


def faults_of(name: str, study: StudyFile) -> list[str]:
    """Where the sections of one study contradict each other, a sentence each."""
    faults = [*_names(name, study)]
    if faults:
        return faults  # what follows looks entries up by those names
    return [
        *_source(name, study),
        *_outcomes(name, study),
        *_views(name, study),
        *_fusion(name, study),
        *_bends(study),
        *_published(name, study),
    ]


def models_of(name: str, study: StudyFile) -> list[str]:
    """The names that this study's models have in tables and figures: networks, then fusions."""
    networks = [network.removeprefix(f"{name}-") for network in study.network]
    fusion = study.fusion.get(name)
    return [*networks, *(fusion.models if fusion else ())]


def _names(name: str, study: StudyFile) -> Iterator[str]:
    """A study's name is its file's; its members are <study>-<member>. DVC's keys allow no dot."""
    if not _NAME.fullmatch(name):
        yield f"the file name {name!r} is no study name; use lower case letters, digits and _."
    for section in StudyFile.model_fields:
        for entry in [] if section == "demo" else study.members(section):
            member = entry.removeprefix(f"{name}-")
            if section in BY_MEMBER and not (member != entry and _NAME.fullmatch(member)):
                yield f"{section}.{entry}: expected {name}-<name>, in a-z, 0-9 and _."
            if section not in BY_MEMBER and entry != name:
                yield f"{section}.{entry}: expected {name}, the name of the file."
    for required in ("study", "acquire", "cohort"):
        if name not in getattr(study, required):
            yield f"{required}.{name}: this key is missing; add it."


def _source(name: str, study: StudyFile) -> Iterator[str]:
    acquire = study.acquire[name]
    demo_output = f"data/{name}/demo/"
    is_demo = f"{acquire.path}/".startswith(demo_output)
    if is_demo and name not in study.demo_cohort:
        yield f"acquire.{name}.path: this is the demo cohort's place; declare demo_cohort.{name}."
    if acquire.pseudonyms == "invented" and not is_demo:
        yield (
            f"acquire.{name}.pseudonyms: invented is for a demo cohort (path below {demo_output}); "
            "real patients need keyed."
        )


def _outcomes(name: str, study: StudyFile) -> Iterator[str]:
    """Every outcome that a section names is a label of the cohort."""
    named = {
        f"split.{name}.stratify_by": (s.stratify_by if (s := study.split.get(name)) else None),
        f"fusion.{name}.outcome": (f.outcome if (f := study.fusion.get(name)) else None),
        f"evaluation.{name}.outcome": (e.outcome if (e := study.evaluation.get(name)) else None),
        **{f"network.{key}.outcome": network.outcome for key, network in study.network.items()},
    }
    for place, outcome in named.items():
        if outcome is not None:
            yield from _unknown(
                place, outcome, study.cohort[name].labels(), "a label of the cohort"
            )


def _views(name: str, study: StudyFile) -> Iterator[str]:
    decoded = study.decode[name].views if name in study.decode else {}
    for view in decoded:
        place = f"decode.{name}.views.{view}"
        yield from _unknown(place, view, study.cohort[name].views, "a view of the cohort")
    for key, network in study.network.items():
        if network.study != name:
            yield f"network.{key}.study: found {network.study!r}; expected {name!r}."
        yield from _unknown(f"network.{key}.view", network.view, decoded, "a decoded view")
        if isinstance(network.weights, PretrainedWeights):
            made = study.pretrain[name].trunks if name in study.pretrain else {}
            place = f"network.{key}.weights.pretrain"
            yield from _unknown(place, network.weights.pretrain, made, "a trunk of pretrain")


def _fusion(name: str, study: StudyFile) -> Iterator[str]:
    if name not in study.fusion:
        return
    networks = {network.removeprefix(f"{name}-") for network in study.network}
    models = study.fusion[name].models
    for model, columns in models.items():
        place = f"fusion.{name}.models.{model}"
        if not _NAME.fullmatch(model):
            yield f"{place}: use lower case letters, digits and _."
        if model in networks:
            yield f"{place}: a network has this name already; models of a study differ in name."
        if not columns.clinical and not columns.looks_through:
            yield f"{place}: it reads nothing; set clinical: true, or name networks or scores."
        for section in ("networks", "scores"):
            for network in getattr(columns, section):
                yield from _unknown(f"{place}.{section}", network, study.network, "a network")
    read = {network for columns in models.values() for network in columns.looks_through}
    if read <= set(study.network):  # the unknown are told above, each with its place
        yield from misread(study.fusion[name], study.network)


def _bends(study: StudyFile) -> Iterator[str]:
    """DVC stops on a parameter that is missing, so whatever can be bent has an entry in `demo`."""
    for section in BENDABLE:
        declared, bent = study.members(section), getattr(study.demo, section)
        for entry in declared:
            if entry not in bent:
                yield f"demo.{section}.{entry}: this key is missing; {{}} bends nothing."
        for entry in bent:
            yield from _unknown(
                f"demo.{section}.{entry}", entry, declared, f"an entry of {section}"
            )


def _published(name: str, study: StudyFile) -> Iterator[str]:
    published = study.study[name].published
    for model, figures in (published.figures if published else {}).items():
        place = f"study.{name}.published.figures.{model}"
        yield from _unknown(place, model, models_of(name, study), "a model of the study")
        for figure, value in figures.items():
            yield from _unknown(f"{place}.{figure}", figure, METRICS, "a figure that we report")
            if not 0 <= value <= 1:
                yield f"{place}.{figure}: found {value}; expected a fraction in [0, 1]."


def _unknown(place: str, word: str, known: Iterable[str], what: str) -> Iterator[str]:
    if word not in set(known):
        yield f"{place}: {word!r} is not {what}. {nearest(word, known)}"


def _graph_faults(
    graph: Mapping[str, Any], studies: Mapping[str, StudyFile], names: list[str]
) -> Iterator[str]:
    """dvc.yaml knows every study, `sync` waits for every report, and no stage lacks a neighbour."""
    for name in names:
        if study_file(name) not in graph.get("vars", []):
            yield f"dvc.yaml: vars does not list {study_file(name)}; add it."
        if f"data/{name}/report" not in graph["stages"].get("sync", {}).get("deps", []):
            yield f"dvc.yaml: sync does not depend on data/{name}/report; add it to its deps."
    for listed in graph.get("vars", []):
        if str(listed).startswith("studies/") and Path(listed).stem not in names:
            yield f"dvc.yaml: vars lists {listed}, which is not there; remove it."
    for name, study in studies.items():
        yield from _lonely_stages(graph["stages"], name, study)


def _lonely_stages(stages: Mapping[str, Any], name: str, study: StudyFile) -> Iterator[str]:
    section_of = {stage: foreach_section(declared) for stage, declared in stages.items()}
    for stage, section in section_of.items():
        if not study.members(section):
            continue
        for dependency in stages[stage]["do"].get("deps", []):
            found = _STAGE_FOLDER.match(dependency)
            needed = section_of.get(found[1]) if found else None
            if needed and not study.members(needed):
                yield f"{study_file(name)}: section {section} needs a section {needed}; add it."


def _collect(faults: list[str], read: Any) -> None:
    try:
        read()
    except StudyFileError as error:
        faults.append(str(error))
