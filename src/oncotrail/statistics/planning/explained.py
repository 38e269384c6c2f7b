"""How much a model of risk can explain, in the R-squared of Cox and Snell.

That R-squared is 1 - exp(-2 (ln L - ln L_0) / n), from the likelihoods of the model and of no
model. With a yes-or-no outcome, or a time, it stays below 1: a perfect model has ln L = 0 and so
1 - exp(2 ln L_0 / n) (Riley et al., Statistics in Medicine 2019, 38:1276). Nagelkerke's R-squared
is its share of that maximum.

A reported area under the curve C fixes it too, if the linear predictor is normal with the same
spread in both groups: the groups then lie d = sqrt(2) Phi^-1(C) standard deviations apart, the true
model is logistic with slope d, and the mean log-likelihood is an integral. Riley, Van Calster and
Collins (Statistics in Medicine 2021, 40:859) simulate a million patients for it; the integral is
what that tends to.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_expit, logit, ndtri, xlogy


def maximum_cox_snell(prevalence: float) -> float:
    """The largest R-squared of Cox and Snell for a yes-or-no outcome of this prevalence.

    >>> round(maximum_cox_snell(0.5), 2), round(maximum_cox_snell(0.01), 2)
    (0.75, 0.11)
    """
    share = checked_share(prevalence, "prevalence")
    return float(-np.expm1(2 * (xlogy(share, share) + xlogy(1 - share, 1 - share))))


def maximum_cox_snell_survival(rate: float, mean_follow_up: float) -> float:
    """The same for a time: `rate` in events per patient and unit of time, follow-up in that unit.

    >>> round(maximum_cox_snell_survival(0.065, 2.07), 3)
    0.555
    """
    events = checked_above(rate, "rate") * checked_above(mean_follow_up, "mean_follow_up")
    if events >= 1:
        raise ValueError(
            f"found {events:g} events per patient (rate x mean follow-up); expected fewer than 1."
        )
    return float(-np.expm1(2 * (events * math.log(events) - events)))


def cox_snell_from_auc(auc: float, prevalence: float) -> float:
    """R-squared of Cox and Snell of a model with this area under the curve, 0.5 to below 1.

    >>> round(cox_snell_from_auc(0.89, 0.174), 3)
    0.291
    """
    from scipy.integrate import quad

    share = checked_share(prevalence, "prevalence")
    if not 0.5 <= auc < 1:
        raise ValueError(f"found auc {auc}; expected a number from 0.5 to below 1.")
    apart = math.sqrt(2) * float(ndtri(auc))
    middle = float(logit(share)) - apart**2 / 2

    def likelihood(x: float) -> float:
        # Those with the event lie around `apart`, those without around 0.
        with_event = share * math.exp(-((x - apart) ** 2) / 2) * log_expit(middle + apart * x)
        without = (1 - share) * math.exp(-(x**2) / 2) * log_expit(-middle - apart * x)
        return float(with_event + without) / math.sqrt(2 * math.pi)

    ends = (-12.0, apart + 12.0)
    found, _ = quad(likelihood, *ends, epsabs=1e-13, epsrel=1e-12, limit=500, points=(0.0, apart))
    null = xlogy(share, share) + xlogy(1 - share, 1 - share)
    return float(max(0.0, -np.expm1(-2 * (found - null))))


def checked_share(value: float, name: str) -> float:
    """A number strictly between 0 and 1.

    >>> checked_share(0.2, "prevalence")
    0.2
    """
    if not 0 < value < 1:
        raise ValueError(f"found {name} {value}; expected a number between 0 and 1.")
    return float(value)


def checked_above(value: float, name: str) -> float:
    """A finite number above 0.

    >>> checked_above(2, "rate")
    2.0
    """
    if not 0 < value < math.inf:
        raise ValueError(f"found {name} {value}; expected a finite number above 0.")
    return float(value)
