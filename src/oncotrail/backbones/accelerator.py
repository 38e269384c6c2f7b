"""Where and how numbers are computed: device, precision, memory layout, compiled or not.

The loop asks an `Accelerator`. `OneDevice` is plain torch; `oncotrail.backbones.fabric` has one
that shares every batch among several processes. A network's own weights are float32 or float64, as
it was built; `bfloat16` computes forward and backward in it where torch finds that safe, and keeps
the weights and the loss in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from oncotrail.compute import Precision
from oncotrail.errors import UserFault

Layout = Literal["channels_last", "contiguous"]
Forward = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Process:
    """Which of how many processes this is; each takes its share of every batch."""

    rank: int = 0
    count: int = 1

    def share(self, rows: Tensor) -> Tensor:
        """Its part of some rows; possibly none."""
        return rows.tensor_split(self.count)[self.rank]


class Accelerator(Protocol):
    """What the loop needs of the machine."""

    @property
    def device(self) -> torch.device:
        """Where the network and its batches are."""
        ...

    @property
    def process(self) -> Process:
        """Which of how many processes this is."""
        ...

    def place(self, network: nn.Module) -> Forward:
        """Move the network there, in place; what to call for training it."""
        ...

    def computing(self) -> AbstractContextManager[Any]:
        """The precision of what is computed inside."""
        ...

    def last_piece(self, forward: Forward, *, last: bool) -> AbstractContextManager[Any]:
        """Around forward and backward of one piece of a batch; gradients are shared in the last."""
        ...

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of all processes' losses."""
        ...

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        ...

    def together(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in order of their rank."""
        ...

    def same(self, network: nn.Module) -> None:
        """Give every process the first one's buffers (BatchNorm's statistics)."""
        ...

    def agreed(self, *, opinion: bool) -> bool:
        """The first process's opinion."""
        ...


@dataclass(frozen=True)
class OneDevice:
    """One processor or one GPU, with torch alone."""

    name: str = "cpu"  # cpu, cuda, cuda:1 ...
    precision: Precision = "float32"
    layout: Layout = "channels_last"
    compile: bool = False
    process: Process = field(default_factory=Process)

    @property
    def device(self) -> torch.device:
        """Where the network and its batches are."""
        return torch.device(self.name)

    def place(self, network: nn.Module) -> Forward:
        """Move the network there, in place, and compile it if asked."""
        present(self.device)
        laid_out(network, self.device, self.layout)
        return torch.compile(network) if self.compile else network

    def computing(self) -> AbstractContextManager[Any]:
        """Bfloat16 where asked."""
        return in_precision(self.device, self.precision)

    def last_piece(self, forward: Forward, *, last: bool) -> AbstractContextManager[Any]:  # noqa: ARG002
        """Nothing to share."""
        return nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of this loss."""
        loss.backward()  # type: ignore[no-untyped-call]

    def total(self, value: Tensor) -> Tensor:
        """The value: nobody else computes."""
        return value

    def together(self, rows: Tensor) -> Tensor:
        """The rows: nobody else has any."""
        return rows

    def same(self, network: nn.Module) -> None:
        """Nobody to differ from."""

    def agreed(self, *, opinion: bool) -> bool:
        """The only opinion."""
        return opinion


def in_precision(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Torch's automatic choice between bfloat16 and float32, or what the weights are."""
    if precision == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def laid_out(network: nn.Module, device: torch.device, layout: Layout) -> None:
    """Move a network, in place; channels_last is how convolutions are fastest on most devices.

    A network that has a `layout` is told, so that it hands images on in the same one.
    """
    order = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network.to(device)
    if isinstance(getattr(network, "layout", None), torch.memory_format):
        network.layout = order  # type: ignore[assignment]
    for weight in [*network.parameters(), *network.buffers()]:
        if weight.ndim == 4:  # noqa: PLR2004  a convolution's
            weight.data = weight.data.contiguous(memory_format=order)


def present(device: torch.device) -> None:
    """Refuse a device that this machine does not have."""
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        message = (
            f"compute.device is {device} and torch finds {torch.cuda.device_count()} CUDA devices; "
            "write cpu in params.yaml, or mend the driver (nvidia-smi)."
        )
        raise UserFault(message)
