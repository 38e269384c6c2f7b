"""Several processes train one network: Lightning Fabric's devices and strategies.

Every process draws the same batches and takes its share of each. Gradients are added up before a
step, divided by what the whole batch weighs, so all hold the weights that one process would have
(within rounding; a BatchNorm on processors sees only its process's share, on GPUs the whole batch).
This process is the first; it starts the others, and they end with it.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, distributed, nn

from oncotrail.backbones.accelerator import Forward, OneDevice, Process, in_precision, laid_out
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import Trained, as_it_is
from oncotrail.backbones.processes import Work
from oncotrail.compute import use_threads
from oncotrail.errors import OncotrailError, TrainingFault

HOST = "127.0.0.1"
_SECONDS_TO_END = 10.0


def train_together(
    work: Work, on_epoch: Callable[[Epoch], object], *, processes: int, threads: int
) -> Trained:
    """Train `work.network` in place with several processes of `threads` threads each."""
    port = _free_port()
    # Pickled here and not by multiprocessing, which would share the weights: all would move them.
    told = pickle.dumps(work)
    with _followers(told, processes, threads, port) as faults:
        try:
            return _take_part(work, Process(0, processes), port, on_epoch)
        except OncotrailError:
            raise
        except RuntimeError as error:  # torch's, when another process is gone
            if faults.empty():
                raise
            message = f"one of {processes} training processes stopped: {faults.get()}"
            raise TrainingFault(message) from error


class SharedBatches:
    """An accelerator for one of several processes."""

    def __init__(
        self, machine: OneDevice, process: Process, port: int, *, thaws: bool = False
    ) -> None:
        self.process = process
        self._machine = machine
        kind = machine.device.type
        backend = "nccl" if kind == "cuda" else "gloo"
        self._fabric = Fabric(
            accelerator=kind,
            devices=process.count,
            # Whose gradients to wait for is asked anew in every step only where weights thaw.
            strategy=DDPStrategy(process_group_backend=backend, find_unused_parameters=thaws),
            plugins=[_Started(process, port)],
        )
        self._fabric.launch()

    @property
    def device(self) -> torch.device:
        """Where this process's copy of the network is."""
        return torch.device(self._fabric.device)

    def place(self, network: nn.Module) -> Forward:
        """Move the network there, in place; gradients of what this returns are everybody's."""
        if self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        laid_out(network, self.device, self._machine.layout)
        wrapped: Forward = self._fabric.setup_module(network)
        return wrapped

    def computing(self) -> AbstractContextManager[Any]:
        """Bfloat16 where asked."""
        return in_precision(self.device, self._machine.precision)

    def last_piece(self, forward: Forward, *, last: bool) -> AbstractContextManager[Any]:
        """Before the last piece of a batch, processes do not wait for each other."""
        if not isinstance(forward, _FabricModule):
            message = f"found {type(forward).__name__}; expected what `place` returned."
            raise TypeError(message)
        return self._fabric.no_backward_sync(forward, enabled=not last)

    def backward(self, loss: Tensor) -> None:
        """Add up: the strategy takes the mean over processes, and the loss is one's part of it."""
        self._fabric.backward(loss * self.process.count)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        distributed.all_reduce(value)
        return value

    def together(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in order of their rank."""
        counts = [torch.zeros(1, dtype=torch.int64, device=self.device) for _ in self._ranks]
        distributed.all_gather(counts, torch.tensor([len(rows)], device=self.device))
        most = int(max(counts))
        padded = torch.cat([rows, rows.new_zeros(most - len(rows), *rows.shape[1:])])
        found = [torch.empty_like(padded) for _ in self._ranks]
        distributed.all_gather(found, padded)
        return torch.cat([part[: int(count)] for part, count in zip(found, counts, strict=True)])

    def same(self, network: nn.Module) -> None:
        """Give every process the first one's buffers."""
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)

    def agreed(self, *, opinion: bool) -> bool:
        """The first process's opinion."""
        said = torch.tensor([int(opinion)], device=self.device)
        distributed.broadcast(said, 0)
        return bool(said.item())

    @property
    def _ranks(self) -> range:
        return range(self.process.count)


class _Started(ClusterEnvironment):
    """Processes that are there already: Fabric need not start any."""

    def __init__(self, process: Process, port: int) -> None:
        super().__init__()
        self._process, self._port = process, port

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return HOST

    @property
    def main_port(self) -> int:
        return self._port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._process.count

    def set_world_size(self, size: int) -> None:
        """Known already."""

    def global_rank(self) -> int:
        return self._process.rank

    def set_global_rank(self, rank: int) -> None:
        """Known already."""

    def local_rank(self) -> int:
        return self._process.rank

    def node_rank(self) -> int:
        return 0


@contextmanager
def _followers(told: bytes, processes: int, threads: int, port: int) -> Iterator[SimpleQueue[str]]:
    context = get_context("spawn")
    faults: SimpleQueue[str] = context.SimpleQueue()
    started = [
        context.Process(
            target=_follow,
            args=(told, Process(rank, processes), threads, port, faults),
            daemon=True,
        )
        for rank in range(1, processes)
    ]
    for process in started:
        process.start()
    try:
        yield faults
    finally:
        for process in started:
            process.join(_SECONDS_TO_END)
            if process.is_alive():
                process.kill()
                process.join()


def _follow(
    told: bytes, process: Process, threads: int, port: int, faults: SimpleQueue[str]
) -> None:
    """What another process does: the same, and it tells nobody."""
    use_threads(threads)
    work: Work = pickle.loads(told)  # noqa: S301  our own process's bytes, from memory
    try:
        _take_part(work, process, port, _nothing)
    except Exception as error:
        faults.put(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from error


def _take_part(
    work: Work, process: Process, port: int, on_epoch: Callable[[Epoch], object]
) -> Trained:
    thaws = work.prepare_epoch is not as_it_is
    machine = SharedBatches(work.machine, process, port, thaws=thaws)
    try:
        return work.train(on_epoch, machine)
    finally:
        distributed.destroy_process_group()


def _nothing(_: object) -> None:
    """Hear, and do nothing."""


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind((HOST, 0))
        return int(tried.getsockname()[1])
