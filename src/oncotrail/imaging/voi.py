"""How a DICOM file wants its values shown: DICOM PS3.3 C.11.2, value of interest.

    a window    centre, width and one of three functions
    a table     a level for each value

Each gives shares of white: 0 is black, 1 is white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
Shares = NDArray[np.float64]
MOST_BITS = 16


@dataclass(frozen=True)
class VoiWindow:
    """Window centre and width, in the unit after the modality LUT."""

    centre: float
    width: float
    function: Function = "LINEAR"

    def shares(self, values: NDArray[np.float32]) -> Shares:
        """The share of white for each value.

        LINEAR counts whole grey levels: its ramp is one narrower than the width and ends half a
        level to the left.
        """
        away = values.astype(np.float64) - self.centre
        if self.function == "SIGMOID":
            return np.asarray(1 / (1 + np.exp(-4 * away / self.width)))
        if self.function == "LINEAR_EXACT":
            return np.clip(away / self.width + 0.5, 0, 1)
        beyond = away + 0.5
        if self.width == 1:  # a step
            return np.asarray(beyond > 0, dtype=np.float64)
        return np.clip(beyond / (self.width - 1) + 0.5, 0, 1)


@dataclass(frozen=True, eq=False)
class VoiTable:
    """A level for each whole value from `first` on; beyond its ends the last level holds."""

    first: int
    levels: Shares  # shares of white

    def shares(self, values: NDArray[np.float32]) -> Shares:
        """The share of white for each value."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.levels) - 1)
        return np.asarray(self.levels[places.astype(np.int64)])


@dataclass(frozen=True)
class Mirrored:
    """The same for values that were turned dark-is-low: value became `total` - value."""

    voi: VoiWindow | VoiTable
    total: float

    def shares(self, values: NDArray[np.float32]) -> Shares:
        """The share of white for each value, with dark and light exchanged."""
        return np.asarray(1 - self.voi.shares(np.float32(self.total) - values))


Voi = VoiWindow | VoiTable | Mirrored


def voi_of(item: Dataset) -> VoiWindow | VoiTable | None:
    """What this dataset, or this functional group's item, says: its table, or its first window."""
    tables: Sequence[Dataset] = item.get("VOILUTSequence") or []
    if len(tables) > 0:
        return _table(tables[0])
    centre, width = _first(item.get("WindowCenter")), _first(item.get("WindowWidth"))
    if centre is None or width is None:
        return None
    function = str(item.get("VOILUTFunction") or "LINEAR")
    least = 1 if function == "LINEAR" else 0
    known = function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
    if not known or not np.isfinite([centre, width]).all() or width < least or width == 0:
        return None
    return VoiWindow(centre, width, cast("Function", function))


def _table(item: Dataset) -> VoiTable | None:
    """The table, or None where it is shorter than it says."""
    entries, first, bits = (int(number) for number in list(item.LUTDescriptor)[:3])
    entries = entries or 2**MOST_BITS  # PS3.3: 0 stands for that many
    data = item.LUTData
    if isinstance(data, bytes):
        order = ">" if item.original_encoding[1] is False else "<"
        data = np.frombuffer(data, dtype=f"{order}u2" if len(data) >= 2 * entries else "u1")
    levels = np.asarray(data, dtype=np.float64)
    if len(levels) < entries or not 1 <= bits <= MOST_BITS:
        return None
    return VoiTable(first, levels[:entries] / (2**bits - 1))


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    values = list(value) if isinstance(value, MultiValue) else [value]
    return float(values[0]) if values else None
