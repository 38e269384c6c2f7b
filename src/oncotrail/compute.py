"""Where work runs: this machine's threads and memory, and torch made to give the same bits twice.

The number of threads is a setting, not a discovery: it decides the order of additions, and so the
last digits of every weight.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

# Rounding in another order (another processor, other threads) moves the last digit, and training
# amplifies that: from the 7th digit to the first or second, from the 16th to about the 10th.
# bfloat16 computes in it where that is safe and keeps weights and losses in float32.
Precision = Literal["float32", "float64", "bfloat16"]
WeightPrecision = Literal["float32", "float64"]

# Of glibc's mallopt.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def of_weights(precision: Precision) -> WeightPrecision:
    """What a network's own numbers are.

    >>> of_weights("bfloat16")
    'float32'
    """
    return "float64" if precision == "float64" else "float32"


def use_threads(threads: int) -> None:
    """Let torch use this many threads. Other libraries have one each: see pipelines/__init__.py."""
    import torch

    torch.set_num_threads(threads)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Let the process keep the memory that a step frees, for the next step.

    glibc maps every large tensor anew and gives it back at once, so that each step of a ResNet-50
    meets 35,000 page faults, a tenth to a fifth of its time. The peak is the same. Other C
    libraries have no such settings, and nothing changes there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)


@contextmanager
def drawn_in_double() -> Iterator[None]:
    """New weights are drawn in float64: in float32 a processor's vector unit draws others."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Torch's randomness from `seed`, and only algorithms that repeat; both restored after."""
    import torch

    # cuBLAS repeats only with a workspace of a fixed size, and reads this when it first starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    strict_before = torch.are_deterministic_algorithms_enabled()
    fresh_memory: Any = torch.utils.deterministic
    filled_before = fresh_memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(mode=True)
    # It would write NaN into all memory before an operation writes its result there: 3 to 5 % of a
    # step's time, and no bit of any result.
    fresh_memory.fill_uninitialized_memory = False
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(strict_before)
        fresh_memory.fill_uninitialized_memory = filled_before
