"""What was chosen on some patients is for use on others.

A threshold or a cut fits the patients it was chosen on better than others, so what it says of them
is too good. It therefore remembers their role and a fingerprint of their rows, and is refused to
the same role, and to the very same rows under any name, unless that is asked for (`apparent`).

A fingerprint does not depend on the order of the rows. Rows of other patients with all the same
numbers have the same one: of a few patients with a coarse marker that may be chance.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def fingerprint(*columns: ArrayLike) -> str:
    """A short digest of rows of finite numbers, given column by column, whatever their order.

    >>> fingerprint([1, 0], [0.5, 2]) == fingerprint([0, 1], [2, 0.5])
    True
    >>> fingerprint([1, 0], [0.5, 2]) == fingerprint([1, 0], [2, 0.5])
    False
    """
    rows = np.array(columns, dtype=np.float64) + 0.0  # -0 is 0
    return hashlib.blake2b(rows[:, np.lexsort(rows[::-1])].tobytes(), digest_size=8).hexdigest()


def halfway(below: float, above: float) -> float:
    """A threshold that parts two neighbouring values: `above` reaches it, `below` does not.

    >>> halfway(1, 4)
    2.5
    """
    found = below + (above / 2 - below / 2)
    return found if below < found <= above else above


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Something chosen on `n` rows of the role `chosen_on`, whose fingerprint is `rows`."""

    chosen_on: str
    n: int
    rows: str

    def __post_init__(self) -> None:
        if not self.chosen_on.strip():
            raise ValueError("role: found no name; expected who the rows are, such as 'train'.")

    def is_apparent(self, role: str, rows: str, *, apparent: bool) -> bool:
        """Whether these are the patients that it was chosen on; refused unless `apparent`.

        >>> Chosen(chosen_on="train", n=9, rows="ab").is_apparent("test", "cd", apparent=False)
        False
        """
        same = role == self.chosen_on
        if not (same or rows == self.rows):
            return False
        if not apparent:
            found = f"the role {role}" if same else f"the same rows as {role}"
            raise ValueError(
                f"found {found}, and this {type(self).__name__} was chosen on {self.n} patients of "
                f"{self.chosen_on}; what it says of the patients who chose it is too good. "
                "Apply it to another role, or say apparent=True."
            )
        return True
