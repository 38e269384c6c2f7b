"""Times with what ended each of them, where several kinds of events can come first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers


@dataclass(frozen=True, eq=False)
class Causes:
    """Checked times, what ended each (0 censored, 1, 2, ... the causes), and which one counts."""

    times: Floats
    codes: Integers
    cause: int

    @property
    def n(self) -> int:
        """How many patients."""
        return self.times.size

    @property
    def of_interest(self) -> Flags:
        """Who had the event that counts."""
        return np.asarray(self.codes == self.cause, dtype=np.bool_)

    @property
    def competing(self) -> Flags:
        """Who had another event first."""
        return (self.codes > 0) & ~self.of_interest

    def only(self, rows: Flags) -> Causes:
        """These patients alone."""
        return Causes(self.times[rows], self.codes[rows], self.cause)


def causes_of(times: ArrayLike, causes: ArrayLike, cause: int) -> Causes:
    """Check the arrays, and the cause of interest: 1, 2 or as high as any code here.

    >>> causes_of([5, 7, 9], [1, 0, 2], cause=1).competing.tolist()
    [False, False, True]
    """
    time = arrays.column(times, "times", low=0)
    code = arrays.column(causes, "causes", n=time.size, low=0)
    odd = np.flatnonzero(code % 1)
    if odd.size:
        raise ValueError(
            f"causes: found {code[odd[0]]:g} in row {odd[0]}; expected whole numbers: "
            "0 for a censored time, 1, 2, ... for what ended it."
        )
    if cause < 1:
        raise ValueError(f"found cause {cause}; expected 1 or more (0 is a censored time).")
    # A cause that is coded may have happened to nobody here; a code beyond all is a slip.
    last = max(2, int(code.max()))
    if cause > last:
        raise ValueError(
            f"found cause {cause}, which nobody had; expected one from 1 to {last}, "
            f"the causes that are coded here."
        )
    return Causes(time, code.astype(np.int_), cause)
