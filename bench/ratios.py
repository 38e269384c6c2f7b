"""Ratios of what was measured in the same rounds, and how they are printed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Ratio:
    """Ours to theirs, round by round: more than 1 is in our favour."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f} to {self.highest:.2f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Of speeds, pair by pair: what slows a machine for a round slows both.

    >>> print(ratio([4.0, 2.0, 6.0], [2.0, 1.0, 2.0]))
    2.00 (2.00 to 3.00)
    """
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def machine(threads: int, *packages: str) -> str:
    """What was measured on, and with: nothing here is compared with another day's figures."""
    kind = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            kind = line.partition(":")[2].strip()
            break
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    able = ", ".join(name for name in ("amx_bf16", "avx512_bf16") if name in _flags()) or "no bf16"
    busy = os.getloadavg()[0]
    return (
        f"{kind} ({able}), {os.cpu_count()} cores, {threads} threads, "
        f"load {busy:.1f} at the start; Python {platform.python_version()}, {versions}"
    )


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in it, and does not only imitate it."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool({"amx_bf16", "avx512_bf16"} & _flags())


def _flags() -> set[str]:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split())
    return set()
