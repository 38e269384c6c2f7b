"""What networks see, whose it is, and batches of it to be judged on.

A network is judged on inputs as they are: nothing here draws, flips or blends, and
`EvaluationBatches` cannot be given what does (`batches.TrainingBatches` can).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oncotrail.errors import ImageFault, TrainingFault

CPU = torch.device("cpu")
_SHAPES = {2: "feature rows", 3: "grey images", 4: "colour images"}


class Inputs(Protocol):
    """What networks see, a row per image: an array in memory, or rows of one on disk.

    Images x rows x columns [x 3] in uint8, or images x features in floating point.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]: ...


class StoredRows:
    """Some rows of a memory-mapped array, in some order; read when they are asked for."""

    def __init__(self, stored: Inputs, rows: NDArray[np.int64]) -> None:
        self._stored = stored
        self._rows = rows

    @property
    def stored(self) -> Inputs:
        """What they are rows of."""
        return self._stored

    @property
    def rows(self) -> NDArray[np.int64]:
        """Which ones, in their order."""
        return self._rows

    @property
    def shape(self) -> tuple[int, ...]:
        """As if the rows stood in memory."""
        return (len(self._rows), *self._stored.shape[1:])

    @property
    def dtype(self) -> Any:
        """Of the array."""
        return self._stored.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        return np.asarray(self._stored[self._rows[rows]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self[:], dtype=dtype)

    def __reduce__(self) -> Any:
        """Another process maps the file again; the pixels do not travel."""
        given = self._stored
        if not isinstance(given, np.memmap) or not isinstance(given.base, mmap.mmap):
            # In memory, or a part of a map, which no longer knows where in the file it lies.
            return StoredRows, (given[:], self._rows)
        place = (str(given.filename), given.dtype.str, given.offset, given.shape)
        return _mapped_again, (*place, self._rows)


@dataclass(frozen=True)
class Examples:
    """Images (or their cached features), their labels (0, 1, ...), and whose they are."""

    inputs: Inputs
    labels: NDArray[np.int64]
    patients: tuple[str, ...]

    def check(self, role: str) -> None:
        """Refuse what cannot be learned from, or judged on."""
        checked(self.inputs)
        if len(np.unique(self.labels)) < 2:  # noqa: PLR2004  a class and another
            message = (
                f"of {len(self.labels)} {role} images {int(self.labels.sum())} are positive; both "
                "classes are needed. Choose another split seed or a larger cohort."
            )
            raise TrainingFault(message)


@dataclass(frozen=True)
class EvaluationBatches:
    """Inputs in the order given, as they are."""

    inputs: Inputs
    size: int
    device: torch.device = CPU

    def __post_init__(self) -> None:
        checked(self.inputs)

    def __iter__(self) -> Iterator[Tensor]:
        for first in range(0, len(self.inputs), self.size):
            read = np.array(self.inputs[first : first + self.size])
            yield torch.from_numpy(read).to(self.device)


def checked(inputs: Inputs) -> None:
    """Refuse what no network of ours sees."""
    kind = _SHAPES.get(len(inputs.shape))
    floats = np.issubdtype(inputs.dtype, np.floating)
    if (kind == "feature rows" and floats) or (
        kind not in (None, "feature rows") and inputs.dtype == np.uint8
    ):
        return
    message = (
        f"found pixels of type {inputs.dtype} and shape {tuple(inputs.shape)}; expected uint8, "
        "images x rows x columns [x 3], or cached features, images x features."
    )
    raise ImageFault(message)


def _mapped_again(
    path: str, dtype: str, offset: int, shape: tuple[int, ...], rows: NDArray[np.int64]
) -> StoredRows:
    return StoredRows(np.memmap(path, dtype, "r", offset, shape), rows)
