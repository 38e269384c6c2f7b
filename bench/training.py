"""Images per second of training: ours, the peers, and the limit, taking turns on one machine.

    .venv-bench/bin/python -m bench.training [--networks densenet121 ...] [--device cuda] [--quick]

docs/benchmarks.md says what is compared and how to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import ratios
from bench.training_task import Task
from bench.turns import HERE, rounds, started

NETWORKS = (
    *("densenet121", "resnet50", "efficientnet_b3"),
    *("vit_base_patch16_224", "swin_base_patch4_window7_224"),
)
PACKAGES = ("torch", "timm", "torchvision", "lightning", "monai")
PEERS = ("timm", "lightning", "monai")
MIXED = (("timm", "bfloat16"), ("lightning", "bfloat16"))  # where their documentation has it
TIMM_WORKERS = 4  # train.py's own default
OURS, LIMIT = "ours", "limit"
AT_ONCE = 3  # beside ours
Found = dict[str, tuple[list[float], list[float]]]  # by name: ours, and its own


def main() -> None:
    """A table per network, then all medians together."""
    asked = _arguments()
    # Ended politely it ends the others too: a worker that is stopped would stay so for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    print(ratios.machine(asked.threads, *PACKAGES))
    print(
        f"batch {asked.batch}, {asked.side} px, {asked.images} images; "
        f"{asked.repeats} rounds, turns of about {asked.seconds:g} s; ours : theirs"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        prepare(Path(folder), asked)
        for network in asked.networks:
            task = Task(
                "", network, folder, asked.side, asked.batch, asked.device, asked.threads, 0
            )
            report(network, measured(task, asked))


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="bench.training")
    words.add_argument("--networks", nargs="+")
    words.add_argument("--device", default="cpu")
    words.add_argument("--batch", type=int, default=16)
    words.add_argument("--side", type=int, default=224)
    words.add_argument("--images", type=int, default=256)
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--seconds", type=float, default=1.5, help="of a turn; at least one step")
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--workers", type=int, help="of the peers' loaders; theirs where not given")
    words.add_argument("--quick", action="store_true", help="whether everything runs")
    asked = words.parse_args()
    if asked.networks is None:
        asked.networks = NETWORKS[::3] if asked.quick else NETWORKS
    if asked.quick:
        asked.batch, asked.side, asked.images, asked.repeats, asked.seconds = 4, 64, 32, 2, 0.1
    return asked


def prepare(folder: Path, asked: argparse.Namespace) -> None:
    """The images as files, and the same ones in the pixel store; how long that takes, once."""
    from bench.images import write_png
    from oncotrail.imaging import store
    from oncotrail.imaging.decode import ImageSource
    from oncotrail.study.pixels import ViewPixels

    files = write_png(folder / "images", asked.images, seed=1)
    began = time.perf_counter()
    view = ViewPixels(window=None, rows=asked.side, columns=asked.side)
    sources = [ImageSource(path) for path in sorted(files, key=lambda path: path.name)]
    store.fill(folder / "store", folder / "pixels.npy", sources, view, label="bench", processes=2)
    print(f"decoded once into the pixel store: {time.perf_counter() - began:.1f} s")


def measured(task: Task, asked: argparse.Namespace) -> Found:
    """Images per second of everybody, and of ours in the same rounds.

    A few at a time, ours always among them: who waits keeps its memory, seven times that of a Swin.
    """
    ours, *others = contenders(task, asked).items()
    found: Found = {}
    for begin in range(0, len(others), AT_ONCE):
        with contextlib.ExitStack() as ends:
            crew = [
                ends.enter_context(started(name, words, Path(task.folder)))
                for name, words in (ours, *others[begin : begin + AT_ONCE])
            ]
            speeds = rounds(crew, asked.repeats, asked.seconds)
        per_image = {name: [task.batch * one for one in of] for name, of in speeds.items()}
        for name, of in per_image.items():
            found.setdefault(name, (per_image[OURS], of))
    return found


def contenders(task: Task, asked: argparse.Namespace) -> dict[str, list[str]]:
    """Who takes part, and the words that start each."""
    how = tuned(task)
    compiled = ", compiled" if how["compile"] else ""
    print(f"\n{task.network}: ours computes in {how['precision']}, {how['layout']}{compiled}")
    crew = {way: _words("ours", task.by(way, **how)) for way in (OURS, LIMIT)}
    # Where a processor only imitates bfloat16 it is many times slower than float32.
    mixed = MIXED if ratios.has_bfloat16(task.device) else ()
    for peer, precision in (*((peer, "float32") for peer in PEERS), *mixed):
        own = TIMM_WORKERS if peer == "timm" else asked.threads
        workers = own if asked.workers is None else asked.workers
        told = task.by(peer, precision=precision, workers=workers)
        crew[f"{peer} {precision}"] = _words("peers", told)
    return crew


def tuned(task: Task) -> dict[str, str | bool]:
    """Measured in a process of its own, as `oncotrail doctor --tune-device` measures."""
    words = [sys.executable, *_words("ours", task.by("tune"))]
    ended = subprocess.run(words, cwd=HERE, check=False, capture_output=True, text=True)  # noqa: S603
    if ended.returncode:
        sys.exit(ended.stderr)
    how: dict[str, str | bool] = json.loads(ended.stdout.splitlines()[-1])
    return how


def report(network: str, found: Found) -> None:
    """A line each: images per second, and ours to it."""
    for name, (ours, speeds) in found.items():
        against = "" if name == OURS else f"   {ratios.ratio(ours, speeds)}"
        print(f"  {name:20} {statistics.median(speeds):7.1f} images/s{against}", flush=True)
    peers = {name: ratios.ratio(*of) for name, of in found.items() if name not in (OURS, LIMIT)}
    best = min(peers, key=lambda name: peers[name].median)
    print(f"  best peer of {network}: {best}, {peers[best]}", flush=True)


def _words(side: str, task: Task) -> list[str]:
    return ["-m", f"bench.training_{side}", task.text]


if __name__ == "__main__":
    main()
