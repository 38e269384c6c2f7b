"""The planted model: how muscle, visceral fat and clinical risk make metastasis, DMFS and OS.

With m and v the true pectoral muscle and visceral fat area in standard units (the images show
them), and the clinical values as they would be written without blanks,

    eta    = intercept - muscle * m + visceral * v
             + n_stage * N + lvi * LVI + triple_negative * TN
             + ki67 * logit(Ki-67) + size * log(size) + cea * log(CEA)     (each centred)
    log T  = log 60 - 0.9 * (eta + e)          e ~ N(0, 1)    months to metastasis (log-normal)
    log C  = log 60 + 0.3 * u                  u ~ N(0, 1)    months of follow-up
    metastasis = 1 exactly when T <= C,        DMFS = min(T, C)
    log S  = log 26 + survival * m + 0.7 * w   w ~ N(0, 1)    months from metastasis to death
    OS     = min(T + S, C) after metastasis, else C
    death  = 1 where T + S <= C; or where follow-up ended by death of another cause, whose chance
             rises with age: Phi(-1.6 + other_death * age)

Metastasis is therefore a probit model, P(metastasis | eta) = Phi(eta / sqrt(1 + (0.3 / 0.9)^2)),
and stays one when Gaussian parts of eta are unknown. `effects: none` sets every coefficient to zero
and keeps the prevalence: the outcome is then independent of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import logit, ndtri

from oncotrail.demo.draws import Codes, Draws, Floats
from oncotrail.demo.people import People, Tumour, standard_age

EffectsName = Literal["planted", "none"]

MONTHS_TO_METASTASIS, MONTHS_OF_FOLLOW_UP, MONTHS_AFTER_METASTASIS = 60.0, 60.0, 26.0
METASTASIS_SPREAD, FOLLOW_UP_SPREAD, AFTER_SPREAD = 0.9, 0.3, 0.7
# Variance of what no column and no image tells: the liability's own and the length of follow-up.
UNKNOWN_VARIANCE: Final = 1 + (FOLLOW_UP_SPREAD / METASTASIS_SPREAD) ** 2
PREVALENCE: Final = 0.40
LVI_CENTRE, N_STAGE_CENTRE = 0.34, 0.86
KI67_MIDDLE, SIZE_MIDDLE, CEA_MIDDLE = -1.0, 0.9, 0.9  # logit; log cm; log ng/ml
TRIPLE_NEGATIVE: Final = 3  # its place among the subtypes


@dataclass(frozen=True)
class Effects:
    """The planted coefficients of eta; all are zero in a cohort without effects."""

    intercept: float
    muscle: float = 0.0
    visceral: float = 0.0
    n_stage: float = 0.0
    lvi: float = 0.0
    triple_negative: float = 0.0
    ki67: float = 0.0
    size: float = 0.0
    cea: float = 0.0
    survival: float = 0.0
    other_death: float = 0.0


PLANTED: Final = Effects(
    intercept=-0.56,
    muscle=1.20,
    visceral=1.00,
    n_stage=0.52,
    lvi=0.48,
    triple_negative=0.36,
    ki67=0.26,
    size=0.20,
    cea=0.15,
    survival=0.25,
    other_death=0.35,
)
NONE: Final = Effects(intercept=float(ndtri(PREVALENCE) * np.sqrt(UNKNOWN_VARIANCE)))


EFFECTS: Final[dict[EffectsName, Effects]] = {"planted": PLANTED, "none": NONE}


@dataclass(frozen=True)
class Outcomes:
    """Arrays over patients; months are above zero, and DMFS is never longer than OS."""

    metastasis: Codes
    dmfs_months: Floats
    death: Codes
    os_months: Floats


def outcomes(planted: Effects, people: People, draws: Draws) -> Outcomes:
    """What happened to each patient."""
    body = people.body
    liability = linear_predictor(planted, people) + draws["liability"]
    metastasis_at = MONTHS_TO_METASTASIS * np.exp(-METASTASIS_SPREAD * liability)
    follow_up = MONTHS_OF_FOLLOW_UP * np.exp(FOLLOW_UP_SPREAD * draws["follow_up"])
    log_survival = planted.survival * body.muscle + AFTER_SPREAD * draws["after_metastasis"]
    died_at = metastasis_at + MONTHS_AFTER_METASTASIS * np.exp(log_survival)
    other_death = draws["other_death"] < -1.6 + planted.other_death * standard_age(body.age)
    metastasis = metastasis_at <= follow_up
    died_of_it = metastasis & (died_at <= follow_up)
    return Outcomes(
        metastasis=metastasis.astype(np.int64),
        dmfs_months=_months(np.minimum(metastasis_at, follow_up)),
        death=(died_of_it | other_death).astype(np.int64),
        os_months=_months(np.where(died_of_it, died_at, follow_up)),
    )


def linear_predictor(planted: Effects, people: People) -> Floats:
    """eta: the liability to metastasis that causes explain; higher is worse."""
    body, tumour = people.body, people.tumour
    return (
        certain_part(planted, tumour)
        - planted.muscle * body.muscle
        + planted.visceral * body.visceral
        + planted.lvi * tumour.lvi
        + planted.ki67 * ki67_term(tumour.ki67)
        + planted.size * (np.log(tumour.size) - SIZE_MIDDLE)
        + planted.cea * (np.log(tumour.cea) - CEA_MIDDLE)
    )


def certain_part(planted: Effects, tumour: Tumour) -> Floats:
    """The terms of eta whose columns are never blank."""
    certain: Floats = (
        planted.intercept
        + planted.n_stage * (tumour.n_stage - N_STAGE_CENTRE)
        + planted.triple_negative * (tumour.subtype == TRIPLE_NEGATIVE)
        - planted.lvi * LVI_CENTRE
    )
    return certain


def ki67_term(percent: Floats) -> Floats:
    """Ki-67 on the scale that its effect is linear on."""
    term: Floats = logit(percent / 100) - KI67_MIDDLE
    return term


def _months(months: Floats) -> Floats:
    rounded: Floats = np.maximum(np.round(months, 1), 0.1)
    return rounded
