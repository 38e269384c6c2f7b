"""The frozen route, embedding, and logging: what each costs beside what it could.

.venv-bench/bin/python -m bench.routes [--quick]

frozen      the trunk run once and its features kept, against the published way: the trunk run
            again in every epoch; the heads that come out must be the same
embedding   a trunk over images of the pixel store, against forward alone on a batch in memory
logging     what an epoch's write to MLflow takes from training
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import ratios
from bench.training import NETWORKS
from bench.training_task import Task

FROZEN, FEW = "densenet121", 24  # images of the frozen route: its peer takes minutes
TOLERANCE = 1e-3  # of the heads' weights, which float32 rounds in another order
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


def main() -> None:
    """Print all three."""
    import pipelines  # noqa: F401  the environment of a stage, before torch is there

    asked = _arguments()
    print(ratios.machine(asked.threads, "torch", "timm", "mlflow"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        task = _prepared(Path(folder), asked)
        frozen(task, asked)
        embedding(task, asked)
        logging(task, asked)


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="bench.routes")
    words.add_argument("--images", type=int, default=64)
    words.add_argument("--side", type=int, default=224)
    words.add_argument("--epochs", type=int, default=20)
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--device", default="cpu")
    words.add_argument("--networks", nargs="+", default=list(NETWORKS))
    words.add_argument("--quick", action="store_true", help="whether everything runs")
    asked = words.parse_args()
    if asked.quick:
        asked.images, asked.side, asked.epochs, asked.repeats = 16, 64, 3, 2
        asked.networks = [FROZEN]
    return asked


def _prepared(folder: Path, asked: argparse.Namespace) -> Task:
    """The images, in the pixel store."""
    import torch

    from bench.training import prepare

    torch.set_num_threads(asked.threads)
    prepare(folder, asked)
    fast = "bfloat16" if ratios.has_bfloat16(asked.device) else "float32"
    task = Task("", FROZEN, str(folder), asked.side, 16, asked.device, asked.threads, 0)
    return task.by("", precision=fast)


def frozen(task: Task, asked: argparse.Namespace) -> None:
    """Both ways from the same start, in float32, each with its own copy of the network."""
    exact = task.by("", precision="float32")
    once, again = [], []
    for number in range(asked.repeats):
        store = Path(task.folder) / f"features-{number}"  # empty: the trunk's run counts
        mine, mine_seconds = _frozen(exact, asked.epochs, store)
        theirs, their_seconds = _frozen(exact, asked.epochs, None)
        _same_heads(mine, theirs)
        once.append(1 / mine_seconds)
        again.append(1 / their_seconds)
    print(
        f"\nfrozen: {FROZEN}, {min(FEW, asked.images)} images, {asked.epochs} epochs; the same head"
    )
    print(f"  trunk once           {1 / statistics.median(once):8.2f} s")
    print(f"  trunk in every epoch {1 / statistics.median(again):8.2f} s")
    print(f"  ours : theirs        {ratios.ratio(once, again)}", flush=True)


def _frozen(task: Task, epochs: int, store: Path | None) -> tuple[Any, float]:
    """The trained head and the seconds; without a store the trunk runs in every epoch."""
    from bench.training_ours import examples, machine, recipe, started
    from oncotrail.backbones import learning, loop
    from oncotrail.backbones.thawing import Thaw, Thawing

    given = examples(task, FEW)
    learns, chooses = (rows_of(given, part) for part in parts(len(given.labels)))
    network, how = started(task, learns.inputs), recipe(task, epochs, augmented=False)
    began = time.perf_counter()
    if store is None:
        thaw = Thaw(network, Thawing(head_epochs=None))
        loop.train(network, learns, chooses, how, _nothing, prepare_epoch=thaw)
    else:
        of_trunk = [
            learning.on_features(network, of, store, machine(task)) for of in (learns, chooses)
        ]
        loop.train(network.head, *of_trunk, how, _nothing)
    return network.head, time.perf_counter() - began


def parts(images: int) -> tuple[slice, slice]:
    """Three quarters to learn from, and the rest to choose the epoch by."""
    return slice(0, 3 * images // 4), slice(3 * images // 4, images)


def rows_of(given: Any, part: slice) -> Any:
    """Some of the images, as the stage `train` hands them on: rows of one file."""
    from oncotrail.backbones.inputs import Examples, StoredRows

    stored = StoredRows(given.inputs.stored, given.inputs.rows[part])
    return Examples(stored, given.labels[part], given.patients[part])


def _same_heads(mine: Any, theirs: Any) -> None:
    for one, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        apart = float((one - other).detach().abs().max())
        if apart > TOLERANCE:
            raise SystemExit(f"the heads differ by {apart}: nothing to compare")


def embedding(task: Task, asked: argparse.Namespace) -> None:
    """All images of the store, against as many batches that are in memory."""
    print(f"\nembedding: {asked.images} images, {task.precision}; ours : forward alone")
    for network in asked.networks:
        ours, limit = _embedders(task.by("", network=network), asked.images)
        speeds: list[list[float]] = [[], []]
        for work in (ours, limit):
            work()
        for _ in range(asked.repeats):
            for work, into in zip((ours, limit), speeds, strict=True):
                into.append(asked.images / _seconds(work))
        median = statistics.median(speeds[0])
        print(f"  {network:30} {median:7.1f} images/s   {ratios.ratio(*speeds)}", flush=True)


def _embedders(task: Task, images: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Our way and the limit, over the same number of images."""
    import torch

    from bench.training_ours import examples, machine, started, wait_for
    from oncotrail.backbones.features import features_of
    from oncotrail.backbones.scoring import IMAGES_AT_ONCE

    given, computing, wait = examples(task), machine(task), wait_for(task.device)
    network = started(task, given.inputs)
    computing.place(network)
    network.eval()
    read = torch.from_numpy(given.inputs[:IMAGES_AT_ONCE]).to(task.device)
    batch = network.normalised(read)

    def ours() -> None:
        for _ in features_of(network, given.inputs, computing):
            pass

    def limit() -> None:
        with torch.inference_mode(), computing.computing():
            for _ in range(images // len(batch)):
                network.trunk(batch)
            wait()

    return ours, limit


def logging(task: Task, asked: argparse.Namespace) -> None:
    """The seconds that sending an epoch takes a core, against the seconds of one of training."""
    from oncotrail.record import RunRecord
    from oncotrail.tracking.runs import open_live_run
    from oncotrail.tracking.store import open_store

    empty: dict[str, Any] = {
        name: {} for name in ("params", "bent", "dependencies", "metrics", "history")
    }
    record = RunRecord(
        "bench", "train", "bench-x", "key", "demo", 1, artifacts={}, on_members={}, **empty
    )
    root, epochs = Path(task.folder), 50
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # a store of our own, not the reader's
    open_store(root)  # a project's first run makes the database, once
    live, began = open_live_run(root, record), time.process_time()
    live.close()
    opening = time.process_time() - began
    record = replace(record, key="another")
    live, began = open_live_run(root, record), time.process_time()
    for epoch in range(1, epochs + 1):
        live.epoch(epoch, dict.fromkeys(FIGURES, 0.5))
    live.close()
    each = max(0.0, time.process_time() - began - opening) / epochs
    training = _epoch_of_training(task)
    print(f"\nlogging: an epoch of {asked.images} images takes {FROZEN} {training:.2f} s")
    print(f"  its write to MLflow {1000 * each:.1f} ms of a core: {each / training:.2%}")
    print(f"  opening the run, once a training: {opening:.2f} s", flush=True)


def _epoch_of_training(task: Task) -> float:
    """Seconds of the second of two epochs."""
    from bench.training_ours import examples, first, machine, recipe, started
    from oncotrail.backbones import loop

    given, ends = examples(task), []
    network = started(task, given.inputs)
    loop.train(
        network,
        given,
        first(given, 2),
        recipe(task, 2),
        lambda _: ends.append(time.perf_counter()),
        accelerator=machine(task),
    )
    return ends[1] - ends[0]


def _nothing(_: Any) -> None:
    """Nobody listens to the epochs."""


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
