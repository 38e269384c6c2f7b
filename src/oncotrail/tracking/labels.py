"""How a run is named, tagged and described, whether it is logged live or rebuilt from its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oncotrail.record import RunRecord, Scalar

KEY = "oncotrail.key"  # which run this is: the run key; one run per key
SAID = "oncotrail.said"  # digest of what the run's page was last made to say
FILES = "oncotrail.files"  # digest of the artifacts that were uploaded
PROCESS = "oncotrail.process"  # who is filling the run now, and must be alive
COMPUTED = "computed"  # here; or elsewhere: the outputs came from DVC's cache or were pulled
CURRENT = "current"  # yes: the repository's files say this now; no: they once did
PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
COLOUR = "mlflow.runColor"

TRIAL, PART = "trial", "part"  # kinds of nested runs: a search's, a training's
NETWORK_STAGE = "train"
FUSION_STAGE = "fuse"
EPOCH = "epoch/"
LONGEST_PARAM = 6000
LONGEST_TAG = 5000
_NOT_IN_A_NAME = re.compile(r"[^\w/.\- :]")


def run_name(record: RunRecord) -> str:
    """A model by its name without the study's, any other run by its stage.

    Inside an experiment, which is a study, saying the study again would only push the rest away.
    """
    model = model_name(record)
    if record.stage == NETWORK_STAGE:
        return model
    return f"{record.stage} {model}" if model else record.stage


def model_name(record: RunRecord) -> str:
    """The network that a run is about, without its study; empty for a run about the whole study."""
    return without_study(record.study, record.name)


def without_study(study: str, name: str) -> str:
    """`name` without its study.

    >>> without_study("lung", "lung-small"), without_study("lung", "lung")
    ('small', '')
    """
    return "" if name == study else name.removeprefix(f"{study}-")


def run_tags(record: RunRecord) -> dict[str, str]:
    """What the record itself says; the same on every machine. MLflow shows them in this order."""
    is_network = record.stage == NETWORK_STAGE
    tags = {
        KEY: record.key,
        "study": record.study,
        "stage": record.stage,
        "kind": "network" if is_network else "stage",
        "recipe": record.recipe,
        "bent": _bent(record.bent),
        "mlflow.source.name": f"dvc repro {record.stage}@{record.name}",
        "mlflow.source.type": "PROJECT",
    }
    if model_name(record):
        tags["model"] = model_name(record)
    if record.seed is not None:
        tags["seed"] = str(record.seed)
    if "device" in record.params:
        tags["device"] = str(record.params["device"])
    return tags


def nested_key(record: RunRecord, name: str) -> str:
    """The key of a run below this record's."""
    return f"{record.key}/{name}"


def nested_tags(record: RunRecord, name: str) -> dict[str, str]:
    """What a record says of each run below it."""
    kind = PART if record.stage == NETWORK_STAGE else TRIAL
    return run_tags(record) | {KEY: nested_key(record, name), "kind": kind}


def dependency_tags(record: RunRecord) -> dict[str, str]:
    """What the run read, with digests: two runs can be asked whether they had the same data."""
    read = sorted(record.dependencies.items())
    return {allowed(f"dependency.{path}"): md5 for path, md5 in read}


def epoch_metric(name: str) -> str:
    """Curves have a section of their own, apart from the figures that judge a finished model.

    Without it `validation_auc` of the last epoch and `validation_auc` of the chosen network would
    be one metric, and MLflow would show the later number.

    >>> epoch_metric("train_loss"), epoch_metric("epoch/train_loss")
    ('epoch/train_loss', 'epoch/train_loss')
    """
    return f"{EPOCH}{name.removeprefix(EPOCH)}"


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Params as MLflow stores them."""
    return {allowed(name): _text(value)[:LONGEST_PARAM] for name, value in values.items()}


def allowed(name: str) -> str:
    """`name` with what MLflow refuses in names replaced.

    >>> allowed("data/x@y")
    'data/x_y'
    """
    return _NOT_IN_A_NAME.sub("_", name)


def _bent(bent: Mapping[str, list[Any]]) -> str:
    """`no`, or each setting that is not the published one."""
    changes = [f"{place}: {pair[0]} -> {pair[1]}" for place, pair in sorted(bent.items())]
    return "; ".join(changes)[:LONGEST_TAG] or "no"


def _text(value: Scalar | list[Any]) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
