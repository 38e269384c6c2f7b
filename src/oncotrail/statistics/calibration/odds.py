"""From probabilities to log odds, which exact zeros and ones do not have."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from oncotrail.statistics.arrays import Floats, Undefined, column


def log_odds(probabilities: ArrayLike) -> Floats:
    """log(p / (1 - p)) of each patient; probabilities of exactly 0 and 1 are refused.

    Their log odds are infinite: one event at probability 0 makes every logistic recalibration
    impossible, and dropping such patients (as rms::val.prob does) flatters the model. If they come
    from rounding, the caller clips them, and says to what.

    >>> log_odds([0.5, 0.75]).round(4).tolist()
    [0.0, 1.0986]
    """
    found = column(probabilities, "probabilities", low=0, high=1)
    certain = (found == 0) | (found == 1)
    if certain.any():
        raise Undefined(
            f"probabilities: found {found[certain][0]:g} in row {int(np.flatnonzero(certain)[0])}"
            f" ({int(certain.sum())} of {found.size}); log odds need probabilities strictly between"
            " 0 and 1. Clip them, for instance to 0.001 and 0.999, and report it."
        )
    return np.asarray(logit(found), dtype=np.float64)
