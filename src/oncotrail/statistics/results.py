"""What a function of this room gives back: values that stay as they were computed.

A frozen dataclass keeps its names from being bound again, and no more: an array inside it could
still be written to, and two results with arrays in them cannot be compared with `==`. A `result`
has read-only arrays of its own, and equals only itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform

import numpy as np

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False)
def result(made: type[T]) -> type[T]:
    """A frozen dataclass whose arrays (also those in a tuple or a mapping) are read-only copies.

    >>> @result
    ... class Curve:
    ...     heights: np.ndarray
    >>> Curve(np.array([1.0, 0.5])).heights[0] = 2
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """
    own_check = getattr(made, "__post_init__", None)

    def check_and_close(self: Any) -> None:
        if own_check is not None:
            own_check(self)
        for each in fields(self):
            object.__setattr__(self, each.name, read_only(getattr(self, each.name)))

    made.__post_init__ = check_and_close  # type: ignore[attr-defined]
    made.__setstate__ = restored  # type: ignore[attr-defined]
    return dataclass(frozen=True, eq=False)(made)


def restored(self: object, state: Mapping[str, Any]) -> None:
    """What `__setstate__` of a result is: a copy, or one that was pickled, is closed again.

    >>> import copy
    >>> copy.deepcopy(read_only(np.arange(3))).flags.writeable  # of an array alone it is lost
    True
    """
    for name, value in state.items():
        object.__setattr__(self, name, read_only(value))


def read_only(value: Any) -> Any:
    """The value, with every array in it a copy that cannot be written to; others as they are.

    >>> read_only((np.arange(3), "name"))[0].flags.writeable
    False
    """
    if isinstance(value, np.ndarray):
        if value.flags.writeable or not value.flags.owndata:
            value = value.copy()
            value.flags.writeable = False
        return value
    if type(value) is tuple:
        return tuple(read_only(item) for item in value)
    if type(value) is dict:
        return {name: read_only(item) for name, item in value.items()}
    return value
