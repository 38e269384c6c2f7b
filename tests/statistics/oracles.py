"""Our numbers beside those of R (or of another implementation), and a memory of how near they were.

A test compares through `agree`; what it compared, with the largest difference seen, becomes a row
of docs/reference/statistics.md:

    python -m tests.statistics.write_reference
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

REFERENCE = Path(__file__).parents[1] / "reference"


@dataclass
class Compared:
    """One function against one oracle."""

    function: str  # as discrimination.area.auc
    oracle: str  # as "pROC::auc 1.18.0"
    numbers: int = 0
    largest: float = 0.0


COMPARED: dict[tuple[str, str], Compared] = {}


@cache
def reference(name: str) -> dict[str, Any]:
    """What tests/reference/<name>.R wrote; `versions` holds R's and its packages'."""
    found: dict[str, Any] = json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))
    return found


def r(name: str, function: str) -> str:
    """An oracle in R, with the version in the JSON: r("discrimination", "pROC::auc")."""
    versions = reference(name)["versions"]
    package = function.split("::", maxsplit=1)[0] if "::" in function else "R"
    return f"{function} {versions[package]}"


def agree(
    function: Callable[..., Any],
    oracle: str,
    ours: ArrayLike,
    theirs: ArrayLike,
    within: float = 1e-6,
    *,
    absolute: float = 1e-11,
) -> None:
    """Assert that each number differs by at most `within` of the oracle's, or by `absolute`.

    The second is for sums that should be 0 and are not, quite; a test gives more where the oracle
    printed so many digits, or simulated. A None or NaN on one side must be one on the other.
    """
    found, expected = (np.asarray(side, dtype=np.float64).ravel() for side in (ours, theirs))
    assert found.size, "nothing was compared"
    assert found.shape == expected.shape, f"{found.shape} numbers against {expected.shape}"
    undefined = np.isnan(expected)
    assert np.array_equal(np.isnan(found), undefined), f"{found} against {expected}"
    same = found == expected  # infinite on both sides too
    compared = ~undefined & ~same
    apart, relative = np.zeros(found.size), np.zeros(found.size)
    apart[compared] = np.abs(found[compared] - expected[compared])
    np.divide(apart, np.abs(expected), out=relative, where=compared & (expected != 0))
    relative[compared & (expected == 0)] = np.inf
    beyond = (relative > within) & (apart > absolute)
    assert not beyond.any(), f"{found[beyond]} against {expected[beyond]}: {relative[beyond]}"
    largest = float(np.minimum(apart, relative).max(initial=0.0))
    name = f"{function.__module__.removeprefix('oncotrail.')}.{function.__qualname__}"
    row = COMPARED.setdefault((name, oracle), Compared(name, oracle))
    row.numbers += found.size
    row.largest = max(row.largest, largest)
