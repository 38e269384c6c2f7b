"""The pixel store built, read and grown, beside MONAI's PersistentDataset and the training itself.

.venv-bench/bin/python -m bench.cache [--quick]

build    CT slices in DICOM -> 224 x 224 pictures in the store, and in MONAI's cache; two
         processes each
read     what an epoch's batches cost, and what training on them costs, a step at a time
grow     1,000 and 10,000 images: seconds, and the most memory that a process of its own took
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import ratios
from bench.turns import HERE

PROCESSES, BATCH = 2, 16
WINDOW = (-160, 240)  # soft tissue
GREY_LEVELS = 2.0  # by how much the mean difference of two pictures may be
FEW, TEN_TIMES = 1_000, 10


def main() -> None:
    """Print all three."""
    words = argparse.ArgumentParser(prog="bench.cache")
    words.add_argument("--images", type=int, default=300)
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--side", type=int, default=224)
    words.add_argument("--grow", type=int, default=FEW)
    words.add_argument("--fill", nargs=2, help=argparse.SUPPRESS)
    words.add_argument("--quick", action="store_true", help="whether everything runs")
    asked = words.parse_args()
    if asked.fill:
        fill_alone(Path(asked.fill[0]), int(asked.fill[1]))
        return
    if asked.quick:
        asked.images, asked.side, asked.repeats, asked.grow = 40, 64, 2, 20
    print(ratios.machine(PROCESSES, "torch", "monai", "pydicom"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        build(root, asked)
        read(root, asked)
        shutil.rmtree(root / "ct")
        grow(root, asked.grow)


def build(root: Path, asked: argparse.Namespace) -> None:
    """Both decode the same files into an empty folder, in turns."""
    from bench.images import write_ct

    files, side = write_ct(root / "ct", asked.images, seed=1), asked.side
    pixels = fill(root / "store", root / "pixels.npy", files, side)
    _check(pixels, monai_cache(root / "theirs", files, side))
    work = {
        root / "store": lambda at: fill(at, at / "a.npy", files, side),
        root / "theirs": lambda at: monai_cache(at, files, side),
    }
    speeds: list[list[float]] = [[], []]
    for _ in range(asked.repeats):
        for (place, of), into in zip(work.items(), speeds, strict=True):
            into.append(len(files) / _timed(place, of))
    ours, theirs = speeds
    print(f"build: {len(files)} CT slices of 512 x 512, {PROCESSES} processes; the same pictures")
    print(f"  pixel store        {statistics.median(ours):8.1f} images/s")
    print(f"  PersistentDataset  {statistics.median(theirs):8.1f} images/s")
    print(f"  ours : theirs      {ratios.ratio(ours, theirs)}", flush=True)


def fill(store: Path, output: Path, files: list[Path], side: int) -> NDArray[np.uint8]:
    """As the stage `decode` does it."""
    from oncotrail.imaging import store as pixels
    from oncotrail.imaging.decode import ImageSource
    from oncotrail.study.pixels import ViewPixels, Window

    view = ViewPixels(window=Window(low=WINDOW[0], high=WINDOW[1]), rows=side, columns=side)
    sources = [ImageSource(path) for path in files]
    store.mkdir(exist_ok=True)
    pixels.fill(store, output, sources, view, label="bench", processes=PROCESSES)
    return pixels.open_pixels(output)


def monai_cache(folder: Path, files: list[Path], side: int) -> list[Any]:
    """PersistentDataset filled by the first epoch of a DataLoader, as its documentation says."""
    from monai import transforms
    from monai.data import DataLoader, PersistentDataset

    steps = transforms.Compose(
        [
            transforms.LoadImaged("image", reader="PydicomReader", swap_ij=False),
            transforms.EnsureChannelFirstd("image"),
            transforms.ScaleIntensityRanged("image", *WINDOW, 0, 1, clip=True),
            transforms.Resized("image", (side, side), mode="bilinear", anti_aliasing=True),
        ]
    )
    given = [{"image": str(path)} for path in files]
    warnings.filterwarnings("ignore", ".*nvImageCodec.*")  # its decoder for GPUs
    cached = PersistentDataset(given, steps, cache_dir=folder)
    loader = DataLoader(cached, batch_size=BATCH, num_workers=PROCESSES)
    return [picture for batch in loader for picture in batch["image"].numpy()]


def read(root: Path, asked: argparse.Namespace) -> None:
    """Drawing and gathering an epoch's batches, against training steps on one of them."""
    import torch

    from bench.training_ours import examples, first, machine, recipe, started, tuned
    from bench.training_task import Task
    from oncotrail.backbones.batches import TrainingBatches
    from oncotrail.backbones.stepping import Learner

    torch.set_num_threads(PROCESSES)
    task = Task("", "resnet50", str(root), asked.side, BATCH, "cpu", PROCESSES, 0)
    task = task.by("", **tuned(task))
    given = examples(task)
    learner = Learner(started(task, given.inputs).train(), recipe(task, 1), machine(task))
    kinds = {
        name: TrainingBatches(given, BATCH, torch.Generator().manual_seed(1), how.augmentation)
        for name, how in (
            ("read", recipe(task, 1, augmented=False)),
            ("read and augmented", recipe(task, 1)),
        )
    }
    (batch,) = TrainingBatches(first(given, BATCH), BATCH, torch.Generator()).epoch()
    learner.step(batch, 1e-3)
    shares: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(asked.repeats):
        step = _seconds(lambda: learner.step(batch, 1e-3)) / BATCH
        for name, batches in kinds.items():
            shares[name].append(_seconds(partial(_drain, batches)) / len(given.labels) / step)
    print(f"read: an epoch of {len(given.labels)} images, against resnet50's steps on this machine")
    for name, share in shares.items():
        print(f"  {name:19} {statistics.median(share):7.2%} of the training time", flush=True)


def _drain(batches: Any) -> None:
    """An epoch, of which no batch is kept."""
    for _ in batches.epoch():
        pass


def grow(root: Path, few: int) -> None:
    """A cohort, and one ten times as large; small files, so that both fit on a laptop."""
    from bench.images import write_ct

    files = write_ct(root / "many", few * TEN_TIMES, seed=2, side=128)
    print(f"grow: CT slices of 128 x 128, {PROCESSES} processes")
    found = []
    for count in (few, few * TEN_TIMES):
        words = [sys.executable, "-m", "bench.cache", "--fill", str(root / "many"), str(count)]
        ended = subprocess.run(words, cwd=HERE, check=True, capture_output=True, text=True)  # noqa: S603
        found.append(json.loads(ended.stdout))
        seconds, peak = found[-1]["seconds"], found[-1]["mebibytes"]
        print(
            f"  {count:6,} of {len(files):,} images  {seconds:6.1f} s  {peak:6.0f} MiB", flush=True
        )
    small, large = found
    print(
        f"  ten times the images: {large['seconds'] / small['seconds']:.1f} times the time, "
        f"{large['mebibytes'] / small['mebibytes']:.2f} times the memory"
    )


def fill_alone(folder: Path, count: int) -> None:
    """One fill in a process of its own: its seconds, and the most memory of it or a worker."""
    import resource

    files = sorted(folder.glob("*.dcm"))[:count]
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        seconds = _timed(Path(place) / "store", lambda at: fill(at, at / "a.npy", files, 64))
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB on Linux
    print(json.dumps({"seconds": seconds, "mebibytes": max(_own_peak(), workers) / 1024}))


def _own_peak() -> int:
    """In KiB. Not RUSAGE_SELF: that begins with what the process had which started this one."""
    (line,) = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1])


def _check(ours: NDArray[np.uint8], theirs: list[Any]) -> None:
    """Both made the same pictures, but for how each rounds and smooths."""
    shown = np.stack([np.squeeze(picture) * 255 for picture in theirs])
    worst = float(np.abs(shown - np.asarray(ours, np.float32)).mean(axis=(1, 2)).max())
    if worst > GREY_LEVELS:
        sys.exit(f"the pictures differ by {worst:.1f} grey levels: nothing to compare")


def _timed(folder: Path, work: Callable[[Path], object]) -> float:
    """Seconds of work in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return _seconds(lambda: work(folder))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
