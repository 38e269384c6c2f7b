"""Images decoded side by side: each process writes its own pictures to their places in the pack.

What comes out does not depend on how many there are: a picture has one place, whoever makes it.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from oncotrail.errors import UserFault
from oncotrail.imaging.decode import ImageSource, pictures_of
from oncotrail.imaging.journal import Places, Written
from oncotrail.imaging.pack import Pack, write_pictures
from oncotrail.imaging.read import files_of
from oncotrail.study.pixels import ViewPixels

WORTH_A_PROCESS = 2**26  # bytes of images each: about as long as a process takes to start
AT_ONCE = 4  # images handed to a process together
WATCH_SECONDS = 0.5

Job = tuple[int, ImageSource]


def decoded(
    pack: Pack, jobs: Sequence[Job], view: ViewPixels, processes: int
) -> Iterator[tuple[int, Written]]:
    """Decode these images into the pack; yield each when it is written, in their order."""
    work = _Work(pack.partial, pack.layout.places, view)
    count = min(processes, len(jobs), _bytes(jobs) // WORTH_A_PROCESS)
    if count > 1:
        yield from _side_by_side(work, jobs, count)
    else:
        yield from map(work, jobs)


@dataclass(frozen=True)
class _Work:
    """What is done with each job, and all that it needs: it is sent to the processes."""

    path: Path
    places: Places
    view: ViewPixels

    def __call__(self, job: Job) -> tuple[int, Written]:
        image, source = job
        pictures = pictures_of(source, self.view)
        digests = write_pictures(self.path, self.places, image, pictures.pixels)
        return image, Written(digests, pictures.slices)


def _bytes(jobs: Sequence[Job]) -> int:
    files = (file for _, source in jobs for file in files_of(source.path))
    return sum(file.stat().st_size for file in files if file.exists())


def _side_by_side(
    work: _Work, jobs: Sequence[Job], processes: int
) -> Iterator[tuple[int, Written]]:
    # Not by fork: a stage has threads, and a forked lock may stay held for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _end_with, (os.getpid(),)) as pool:
        try:
            yield from pool.map(work, jobs, chunksize=AT_ONCE)
        except BrokenProcessPool:
            message = (
                "a process that decoded images was killed: there was too little memory, or a "
                "decoder broke on one of them. Run oncotrail check to find it, or make repro again "
                "with fewer compute.threads in params.yaml; what was decoded is kept."
            )
            raise UserFault(message) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with(parent: int) -> None:
    """End when the stage is gone: after its `kill -9` a worker would wait for jobs for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()
