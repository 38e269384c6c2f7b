"""`oncotrail doctor --tune-device`: measure how each network trains fastest, and write it down.

What it writes into params.yaml, `compute.networks`, every later run reads and none measures again.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.errors import StudyFileError
from oncotrail.study.base import Settings
from oncotrail.study.computing import Compute
from oncotrail.study.load import PARAMS, entries, load, study_of
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode

if TYPE_CHECKING:
    from oncotrail.backbones.tune_device import Measured

Say = Callable[[str], None]


class _Limits(Settings):
    image_side: int | None


class _ToMeasure(Settings):
    """What a network's speed depends on."""

    compute: Compute
    limits: _Limits
    network: Network
    decode: Decode


@dataclass(frozen=True)
class Chosen:
    """How one architecture trains fastest here."""

    architecture: str
    measured: Measured


def devices() -> str:
    """What this machine can train on, in a sentence."""
    import os

    import torch

    count = torch.cuda.device_count()
    gpus = ", ".join(torch.cuda.get_device_name(number) for number in range(count)) or "none"
    return f"{os.cpu_count()} processor cores; CUDA devices: {gpus}; torch {torch.__version__}."


def tune_device(root: Path, say: Say) -> str:
    """Measure every architecture that the studies train; the change of params.yaml, as a diff."""
    chosen = list(_measure_all(root, say))
    if not chosen:
        message = "no study declares a network: there is nothing to measure."
        raise StudyFileError(message)
    return write_chosen(root / PARAMS, {one.architecture: _entry(one.measured) for one in chosen})


def write_chosen(path: Path, networks: dict[str, dict[str, Any]]) -> str:
    """Put these entries into `compute.networks`, and leave every other word and comment alone."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    before = path.read_text(encoding="utf-8")
    values = yaml.load(before)
    known = values["compute"].setdefault("networks", CommentedMap())
    known.fa.set_block_style()
    for architecture, entry in networks.items():
        known[architecture] = CommentedMap(entry)
        known[architecture].fa.set_flow_style()  # a line each
    written = io.StringIO()
    yaml.dump(values, written)
    after = written.getvalue()
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(after, encoding="utf-8")
    beside.replace(path)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path.name, path.name, n=1
    )
    return "".join(lines)


def _measure_all(root: Path, say: Say) -> Iterator[Chosen]:
    from oncotrail.compute import use_threads

    seen: set[str] = set()
    for key in entries("network", root):
        settings = load(_ToMeasure, key, root).settings
        if settings.network.architecture in seen:
            continue
        seen.add(settings.network.architecture)
        use_threads(settings.compute.threads)
        say(f"{settings.network.architecture}, as {study_of(key)} trains it:")
        yield Chosen(settings.network.architecture, _measure(settings, say))


def _measure(settings: _ToMeasure, say: Say) -> Measured:
    from oncotrail.backbones import plan
    from oncotrail.backbones.tune_device import fastest, measure, noise, ways
    from oncotrail.imaging.decode import limited

    asked = plan.recipe(settings.network, 1, seed=1)
    view = limited(settings.decode.views[settings.network.view], settings.limits.image_side)
    given = noise(asked.batch_size, view.rows, view.columns, seed=1)
    untrained = settings.network.model_copy(update={"weights": "none"})  # as fast as any others
    network = plan.begin(untrained, given.inputs, 1, "float32").network
    measured = measure(network, given, asked, ways(settings.compute.device))
    for one in measured:
        machine = one.machine
        compiled = ", compiled" if machine.compile else ""
        how = f"{machine.precision}, {machine.layout}{compiled}"
        say(f"  {one.images_per_second:8.1f} images/s  {how}")
    return fastest(measured)


def _entry(measured: Measured) -> dict[str, Any]:
    machine = measured.machine
    return {"precision": machine.precision, "layout": machine.layout, "compile": machine.compile}
