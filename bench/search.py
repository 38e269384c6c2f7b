"""Trials per minute and lost trials: our search against plain Optuna with MLflow's callback.

    .venv-bench/bin/python -m bench.search [--trials 12] [--workers 1 2 4 12] [--quick]

    ours       one driver owns the study; workers get settings and send epochs back; every trial is
               a live nested run in MLflow
    plain      the documented way: N processes, each `study.optimize(n_trials=...)` on one SQLite
               file, with `MLflowCallback` (optuna-integration), or, where that is not installed,
               an own callback that logs the same (named in the output)

Both train the same small DenseNet on the same images in memory for the same epochs, with cores /
workers threads (plain leaves threads as they are, as its documentation does), and start on an empty
folder. A trial is lost if it was asked for and is not COMPLETE at the end.
Run it as a module: as a script, the bench/statistics.py beside it would stand in for the standard
library's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

EPOCHS, IMAGES = 3, 96
SPACE = [{"setting": "rate", "low": 1e-5, "high": 1e-1, "log": True}]
STORE = "sqlite:///{}/mlflow.db"


@dataclass(frozen=True)
class Measured:
    """One way with so many workers."""

    way: str
    workers: int
    asked: int
    complete: int
    seconds: float

    def __str__(self) -> str:
        rate = 60 * self.complete / self.seconds
        lost = self.asked - self.complete
        return f"{self.way:6} {self.workers:3} workers  {rate:7.1f} trials/min  {lost} lost"


def main() -> None:
    """Print a line per way and number of workers, then the ratios."""
    words = argparse.ArgumentParser()
    words.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 12])
    words.add_argument("--trials", type=int, default=12)
    words.add_argument("--quick", action="store_true", help="whether everything runs")
    words.add_argument("--worker-of", default="", help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.quick:
        asked.trials, asked.workers = 2, [1, 2]
    if asked.worker_of:
        plain_worker(Path(asked.worker_of), asked.trials)
        return
    theirs = find_spec("optuna_integration") is not None
    named = "MLflowCallback" if theirs else "a callback of ours that logs what MLflowCallback does"
    print(f"plain logs with {named}")
    found = []
    for workers in asked.workers:
        for measure in (ours, plain):
            with tempfile.TemporaryDirectory() as folder:
                found.append(measure(Path(folder), workers, asked.trials))
            print(found[-1], flush=True)
    _print_ratios(found)


def ours(folder: Path, workers: int, trials: int) -> Measured:
    """The sweep with local workers and live runs."""
    from oncotrail.search.job import Objective
    from oncotrail.search.machine import Machine
    from oncotrail.search.storage import Place
    from oncotrail.search.sweep import Plan, sweep
    from oncotrail.study.search import Search

    machine = Machine(workers)
    threads = machine.threads_each(os.cpu_count() or 1)
    search = Search.model_validate({"trials": trials, "space": SPACE, "pruner": {"kind": "none"}})
    plan = Plan(search, trials, {"rate": 1e-3}, EPOCHS, 1, 1)
    started = time.perf_counter()
    watcher = _Live(folder)
    crew = machine.workers(Objective(f"{_module()}:prepare", {"threads": threads}), threads)
    found = sweep(plan, Place(folder, "bench"), crew, watcher)
    watcher.live.close()
    seconds = time.perf_counter() - started
    return Measured("ours", workers, trials, len(found.of("complete")), seconds)


class _Live:
    """A listener that shows each trial in MLflow, as the tune stage's does."""

    def __init__(self, folder: Path) -> None:
        from oncotrail.record import RunRecord
        from oncotrail.tracking.runs import open_live_run

        empty: dict[str, Any] = {
            name: {} for name in ("params", "bent", "dependencies", "metrics", "history")
        }
        record = RunRecord(
            "bench", "tune", "bench-x", "key", "demo", 1, artifacts={}, on_members={}, **empty
        )
        self.live = open_live_run(folder, record)

    def started(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Nothing to show yet."""

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float]) -> None:
        """One epoch of a nested run."""
        self.live.epoch(epoch, figures, below=f"trial-{number:03d}")

    def ended(self, result: Any) -> None:
        """The nested run's end."""
        from oncotrail.search.watching import name_of, nested

        self.live.ended(name_of(result.number), nested(result))

    def cut_off(self, number: int, reason: str) -> None:
        """No worker dies here."""


def plain(folder: Path, workers: int, trials: int) -> Measured:
    """As many processes as workers, each with its share of the trials."""
    shares = [trials // workers + (place < trials % workers) for place in range(workers)]
    started = time.perf_counter()
    words = [sys.executable, "-m", _module(), "--worker-of", str(folder), "--trials"]
    crew = [
        subprocess.Popen([*words, str(share)], cwd=HERE, stderr=subprocess.DEVNULL)  # noqa: S603
        for share in shares
    ]
    for process in crew:
        process.wait()
    seconds = time.perf_counter() - started
    return Measured("plain", workers, trials, _complete(folder), seconds)


def plain_worker(folder: Path, trials: int) -> None:
    """What Optuna's and MLflow's documentation show."""
    import optuna

    study = optuna.create_study(
        storage=f"sqlite:///{folder}/study.db",
        study_name="bench",
        direction="maximize",
        load_if_exists=True,
    )
    train = prepare({"threads": 0})

    def objective(trial: Any) -> float:
        rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
        answer = train({"rate": rate}, 1, folder, lambda *_: None)
        return float(answer.figures["validation_auc"])

    study.optimize(objective, n_trials=trials, callbacks=[_callback(folder)])


def prepare(given: Mapping[str, Any]) -> Any:
    """The objective of both: a narrow DenseNet on noise with a square in it."""
    import numpy as np
    import torch

    from oncotrail.backbones import loop
    from oncotrail.search.job import Answer
    from tests.backbones.made import squares, tiny

    if given["threads"]:
        torch.set_num_threads(given["threads"])
    learns, chooses = squares(IMAGES, 1, "T"), squares(IMAGES // 2, 2, "V")
    pixels = np.asarray(learns.inputs)

    def train(parameters: Mapping[str, Any], seed: int, _folder: Path, report: Any) -> Any:
        recipe = _recipe(parameters["rate"], seed)

        def on_epoch(epoch: Any) -> None:
            report(epoch.epoch, {"validation_auc": epoch.validation_auc})

        trained = loop.train(tiny(pixels, seed), learns, chooses, recipe, on_epoch)
        return Answer({"validation_auc": trained.best.validation_auc})

    return train


def _recipe(rate: float, seed: int) -> Any:
    from oncotrail.backbones.losses import Loss
    from oncotrail.backbones.optimisation import Optimizer
    from oncotrail.backbones.recipe import Recipe

    optimizer = Optimizer(kind="adam", learning_rate=rate, weight_decay=0.0)
    loss = Loss(kind="binary_cross_entropy", positive_weight=1.0)
    return Recipe(epochs=EPOCHS, batch_size=8, loss=loss, optimizer=optimizer, seed=seed)


def _callback(folder: Path) -> Any:
    """MLflow's callback of optuna-integration, or one that logs what it would."""
    uri = STORE.format(folder)
    try:
        from optuna_integration import MLflowCallback
    except ImportError:
        import mlflow

        def log(_study: Any, trial: Any) -> None:
            mlflow.set_tracking_uri(uri)
            mlflow.set_experiment("bench")
            with mlflow.start_run(run_name=str(trial.number)):
                mlflow.log_params(trial.params)
                mlflow.log_metric("value", trial.value)

        return log
    return MLflowCallback(tracking_uri=uri, metric_name="value")


def _complete(folder: Path) -> int:
    import optuna

    try:
        study = optuna.load_study(study_name="bench", storage=f"sqlite:///{folder}/study.db")
    except Exception as error:  # noqa: BLE001  a study that the start of many broke: all are lost
        print(f"       plain Optuna's study cannot be read: {type(error).__name__}")
        return 0
    return sum(trial.state.name == "COMPLETE" for trial in study.get_trials())


def _print_ratios(found: list[Measured]) -> None:
    rate = {(one.way, one.workers): one.complete / one.seconds for one in found}
    for workers in sorted({one.workers for one in found}):
        if rate["plain", workers]:
            ratio = rate["ours", workers] / rate["plain", workers]
            print(f"{workers:3} workers: ours / plain  {ratio:.2f}")
        else:
            print(f"{workers:3} workers: plain finished nothing")
        if workers > 1 and ("ours", 1) in rate:
            gain = rate["ours", workers] / rate["ours", 1]
            print(f"{workers:3} workers: ours / ours with 1  {gain:.2f}")


def _module() -> str:
    """How a worker finds this file: by its name, from the repository's root."""
    return "bench.search"


if __name__ == "__main__":
    main()
