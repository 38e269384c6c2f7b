"""Where work runs: this machine's threads, and torch made to give the same bits twice.

The number of threads is a setting, not a discovery: it decides the order of additions, and so the
last digits of every weight.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def use_threads(threads: int) -> None:
    """Let torch, and the numerical libraries loaded after this call, use this many threads."""
    import torch

    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)
    torch.set_num_threads(threads)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Torch's randomness from `seed`, and only algorithms that repeat; both restored after."""
    import torch

    strict_before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(mode=True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(strict_before)
