"""Which column is a sum of those before it, so that no coefficient of its own can be found.

Cholesky's factor of an information matrix has on its diagonal, squared, what each column's
information is once the columns before it are known. Where that is next to nothing beside what the
column would have by itself, the column depends on them.
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats

SINGULAR = 1e-11  # share of a column's information that the other columns must leave


def first_dependent(information: Floats, full: Floats) -> int | None:
    """The first column of which the columns before it leave next to nothing; None if all stand.

    `full` is what each column would have by itself.

    >>> first_dependent(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([1.0, 4.0]))
    1
    """
    if _stands(information, full):
        return None
    sizes = range(1, full.size)
    fallen = (k - 1 for k in sizes if not _stands(information[:k, :k], full[:k]))
    return next(fallen, full.size - 1)


def _stands(information: Floats, full: Floats) -> bool:
    try:
        left = np.diag(np.linalg.cholesky(information)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((left > SINGULAR * full).all())
