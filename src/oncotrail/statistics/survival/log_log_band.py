"""The interval of a chance that is normal for log(-log chance), and so stays within 0 to 1.

Its ends are chance^exp(+-z se / (chance log chance)) (Kalbfleisch and Prentice 1980), the same for
survival and for an incidence.
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats

LARGE = 700.0  # exp of more overflows; the interval is 0 to 1 by then


def log_log_band(chance: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    """The lower and the upper ends, z standard errors away; NaN at a chance of 0 or 1.

    >>> low, high = log_log_band(np.array([0.5, 1.0]), np.array([0.1, 0.0]), z=1.96)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.295, nan], [0.675, nan])
    """
    inside = np.where((chance > 0) & (chance < 1), chance, np.nan)
    factor = np.exp(np.minimum(z * error / (-inside * np.log(inside)), LARGE))
    return inside**factor, inside ** (1 / factor)
