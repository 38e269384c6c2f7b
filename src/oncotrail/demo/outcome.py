"""The planted model: how muscle, visceral fat and clinical risk make metastasis, DMFS and OS.

With sarcopenia and visceral obesity 1 or 0 (the images show them: see `people`), and the clinical
values as they would be written without blanks,

    eta    = intercept + sarcopenia * sarcopenic + visceral_obesity * obese
             + nodes * (N stage above 0) + lvi * LVI
    log T  = log 60 - 0.9 * (eta + e)          e ~ N(0, 1)    months to metastasis (log-normal)
    log C  = log 60 + 0.3 * u                  u ~ N(0, 1)    months of follow-up
    metastasis = 1 exactly when T <= C,        DMFS = min(T, C)
    log S  = log 26 - survival * sarcopenic + 0.7 * w             months from metastasis to death
    OS     = min(T + S, C) after metastasis, else C
    death  = 1 where T + S <= C; or where follow-up ended by death of another cause, whose chance
             rises with age: Phi(-1.6 + other_death * age)

Metastasis is therefore a probit model, P(metastasis | eta) = Phi(eta / sqrt(1 + (0.3 / 0.9)^2)),
and a weighted sum of such terms where a group or LVI is unknown. The other columns only go along
with their causes, N stage and subtype. `effects: none` sets every coefficient to zero
and keeps the prevalence: the outcome is then independent of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import ndtri

from oncotrail.demo.draws import Codes, Draws, Floats
from oncotrail.demo.people import People, standard_age

EffectsName = Literal["planted", "none"]

MONTHS_TO_METASTASIS, MONTHS_OF_FOLLOW_UP, MONTHS_AFTER_METASTASIS = 60.0, 60.0, 26.0
METASTASIS_SPREAD, FOLLOW_UP_SPREAD, AFTER_SPREAD = 0.9, 0.3, 0.7
# Variance of what no column and no image tells: the liability's own and the length of follow-up.
UNKNOWN_VARIANCE: Final = 1 + (FOLLOW_UP_SPREAD / METASTASIS_SPREAD) ** 2
PREVALENCE: Final = 0.40


@dataclass(frozen=True)
class Effects:
    """The planted coefficients of eta; all are zero in a cohort without effects."""

    intercept: float
    sarcopenia: float = 0.0
    visceral_obesity: float = 0.0
    nodes: float = 0.0
    lvi: float = 0.0
    survival: float = 0.0
    other_death: float = 0.0


PLANTED: Final = Effects(
    intercept=-4.95,
    sarcopenia=2.70,
    visceral_obesity=2.40,
    nodes=2.60,
    lvi=0.60,
    survival=0.50,
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
    log_survival = AFTER_SPREAD * draws["after_metastasis"] - planted.survival * body.sarcopenia
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
    return eta(planted, body.sarcopenia, body.visceral_obesity, tumour.n_stage, tumour.lvi)


def eta(
    planted: Effects,
    sarcopenia: Codes | int,
    visceral_obesity: Codes | int,
    n_stage: Codes,
    lvi: Codes | int,
) -> Floats:
    """The liability of patients with these causes."""
    liability: Floats = (
        planted.intercept
        + planted.sarcopenia * sarcopenia
        + planted.visceral_obesity * visceral_obesity
        + planted.nodes * (n_stage > 0)
        + planted.lvi * lvi
    )
    return liability


def _months(months: Floats) -> Floats:
    rounded: Floats = np.maximum(np.round(months, 1), 0.1)
    return rounded
