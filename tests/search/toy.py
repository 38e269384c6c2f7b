"""Objectives that take no time, for tests of the machinery: no torch is imported here."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oncotrail.errors import TrainingFault
from oncotrail.search.job import Answer, Objective, Report, Stopped, Train

EPOCHS = 4


def objective(**given: Any) -> Objective:
    return Objective("tests.search.toy:prepare", given)


def prepare(given: Mapping[str, Any]) -> Train:
    """A hill with its top at rate 0.01; what else happens is in `given`."""

    def train(parameters: Mapping[str, Any], seed: int, folder: Path, report: Report) -> Answer:
        rate = float(parameters["optimizer.learning_rate"])
        height = 0.9 - 0.05 * math.log10(rate / 0.01) ** 2
        first = _resumed(folder)
        (folder / "raylet.txt").write_text(str(os.getppid()), encoding="utf-8")  # or the driver
        for epoch in range(1, EPOCHS + 1):
            sys.stdout.write("noise of a library, where the driver listens\n")
            figures = {"validation_auc": height * epoch / EPOCHS, "seed": float(seed % 7)}
            if given.get("as_loss"):
                figures = {"validation_loss": -height}
            if epoch > first:
                _mischief(given, folder, epoch, rate)
                time.sleep(given.get("seconds", 0.0))
                _checkpoint(folder, epoch)
            try:
                report(epoch, figures)
            except Stopped:
                break
        (folder / "weights.txt").write_text(f"{rate!r} at {epoch}", encoding="utf-8")
        return Answer(figures, ("weights.txt",), {"threads": os.environ.get("OMP_NUM_THREADS")})

    return train


def heavy_imports(given: Mapping[str, Any]) -> Train:
    """What was imported before the objective was."""
    loaded = sorted({"torch", "numpy", "optuna"} & set(sys.modules))

    def train(_p: Mapping[str, Any], _s: int, _f: Path, report: Report) -> Answer:
        report(1, {"validation_auc": 0.5})
        threads = {name: os.environ.get(name) for name in given["names"]}
        return Answer({"validation_auc": 0.5}, (), {"loaded": loaded, "threads": threads})

    return train


def worked(folder: Path) -> list[int]:
    """The epochs that were really trained in a trial's folder, in order."""
    log = folder / "worked.txt"
    return [int(line) for line in log.read_text(encoding="utf-8").split()] if log.exists() else []


def _resumed(folder: Path) -> int:
    done = folder / "checkpoints" / "epoch.json"
    return int(json.loads(done.read_text(encoding="utf-8"))) if done.exists() else 0


def _checkpoint(folder: Path, epoch: int) -> None:
    with (folder / "worked.txt").open("a", encoding="utf-8") as log:
        log.write(f"{epoch}\n")
    (folder / "checkpoints").mkdir(exist_ok=True)
    beside = folder / "checkpoints" / ".partial"
    beside.write_text(json.dumps(epoch), encoding="utf-8")
    beside.replace(folder / "checkpoints" / "epoch.json")


def _mischief(given: Mapping[str, Any], folder: Path, epoch: int, rate: float) -> None:
    number = int(folder.name)
    if number in given.get("dies_once", ()) and epoch == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if number in given.get("dies", ()) and epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if number in given.get("diverges", ()):
        message = f"the loss is nan at rate {rate:g}"
        raise TrainingFault(message)
    if number in given.get("breaks", ()):
        message = "a fault of ours"
        raise ZeroDivisionError(message)
    if number in given.get("lacks", ()):
        Path("no-such-file").read_text(encoding="utf-8")
