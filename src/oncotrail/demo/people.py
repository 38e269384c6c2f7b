"""Who the invented patients are, before anything is blank: body, tumour, treatment.

The order of drawing is the order of causes:

    age, BMI, height                      independent
    true muscle and visceral fat area     Gaussian given age and BMI
    measured muscle and fat               the true areas plus a large error of the hand
    subtype                               -> receptors, Ki-67, N stage
    tumour size, LVI, CEA                 given N stage
    treatments                            given receptors, subtype, N stage and age

The columns that may be blank in the table cause no other column. That is what keeps the best
attainable prediction computable in closed form (`attainable`).
"""

# ruff: noqa: PLR2004 - ages, codes and shares are read where they stand
from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, logit

from oncotrail.demo.draws import Codes, Draws, Floats

HOSPITALS: Final = ("North Bank", "South Cliff")
NORTH_SHARE: Final = 0.58

MEAN_HEIGHT, HEIGHT_SPREAD = 1.60, 0.06  # metres

# Gaussian parts, in standard units: variance of m and v that age and BMI leave open.
MUSCLE_ON_BMI, MUSCLE_ON_AGE = 0.25, -0.25
VISCERAL_ON_BMI, VISCERAL_ON_AGE = 0.45, 0.20
MUSCLE_GIVEN_BODY: Final = 1 - MUSCLE_ON_BMI**2 - MUSCLE_ON_AGE**2
VISCERAL_GIVEN_BODY: Final = 1 - VISCERAL_ON_BMI**2 - VISCERAL_ON_AGE**2

# Means and spreads between patients, cm2. The ranges are what a body has room for.
MUSCLE_MEAN, MUSCLE_SPREAD, MUSCLE_RANGE = 34.0, 10.0, (5.0, 64.0)
VISCERAL_MEAN, VISCERAL_SPREAD, VISCERAL_RANGE = 95.0, 38.0, (8.0, 230.0)
# Error of the hand measurement, in spreads between patients: a little more than they differ, so
# that the image knows more than the table.
MUSCLE_ERROR, VISCERAL_ERROR = 1.2, 1.2

# By subtype (luminal A, luminal B, HER2-enriched, triple negative): Ki-67 is logit-normal.
SUBTYPE_SHARES: Final = (0.30, 0.38, 0.14, 0.18)
KI67_CENTRE: Final = logit(np.array([0.08, 0.32, 0.40, 0.55]))
KI67_SPREAD: Final = 0.45
# By N stage: tumour size and CEA are log-normal.
N_STAGE_SHARES: Final = (0.48, 0.28, 0.14, 0.10)
SIZE_CENTRE: Final = np.log(1.9) + 0.30 * np.arange(4)
SIZE_SPREAD: Final = 0.42
CEA_CENTRE: Final = np.log(1.9) + 0.30 * np.arange(4)
CEA_SPREAD: Final = 0.65
LVI_RISK: Final = np.array([0.10, 0.42, 0.65, 0.80])

HISTOLOGY_SHARES: Final = (0.84, 0.09, 0.07)
YOUNG_SHARE: Final = 1 / 150  # under-age records, which the study's eligibility rule keeps out


@dataclass(frozen=True)
class Body:
    """Arrays over patients. Muscle and visceral fat are in standard units."""

    hospital: Codes  # index into HOSPITALS
    age: Floats  # years
    bmi: Floats
    height: Floats  # metres; in no column, but PMI divides by its square
    muscle: Floats
    visceral: Floats
    measured_muscle: Floats
    measured_visceral: Floats
    menopause: Codes

    def muscle_cm2(self) -> Floats:
        """Pectoral muscle area at T4, as the image shows it."""
        return np.clip(MUSCLE_MEAN + MUSCLE_SPREAD * self.muscle, *MUSCLE_RANGE)

    def visceral_cm2(self) -> Floats:
        """Visceral fat area at T11, as the image shows it."""
        return np.clip(VISCERAL_MEAN + VISCERAL_SPREAD * self.visceral, *VISCERAL_RANGE)


@dataclass(frozen=True)
class Tumour:
    """Arrays over patients; N stage is 0 to 3, subtype and histology count from 0 too."""

    subtype: Codes
    er: Codes
    pr: Codes
    her2: Codes
    ki67: Floats  # percent
    n_stage: Codes
    size: Floats  # cm
    lvi: Codes
    cea: Floats  # ng/ml
    multifocal: Codes
    histology: Codes


@dataclass(frozen=True)
class Treatment:
    """Arrays over patients: 1 where it was given. It has no effect on the outcome."""

    endocrine: Codes
    radiotherapy: Codes
    chemotherapy: Codes


@dataclass(frozen=True)
class People:
    """The patients of one block."""

    body: Body
    tumour: Tumour
    treatment: Treatment


def standard_age(age: Floats) -> Floats:
    """Age in standard units."""
    return (age - 51.0) / 11.0


def standard_bmi(bmi: Floats) -> Floats:
    """The logarithm of BMI in standard units."""
    standard: Floats = np.log(bmi / 24.0) / 0.15
    return standard


def people(draws: Draws) -> People:
    """The patients that these draws make. Values are rounded as the table writes them."""
    body, tumour = _body(draws), _tumour(draws)
    return People(body, tumour, _treatment(draws, body, tumour))


def _body(draws: Draws) -> Body:
    age = np.clip(np.round(51.0 + 11.0 * draws["age"]), 24, 89)
    under_age = draws.chance("young", YOUNG_SHARE) == 1
    age = np.where(under_age, np.where(draws["age"] > 0, 17.0, 16.0), age)
    bmi = np.clip(np.round(24.0 * np.exp(0.15 * draws["bmi"]), 1), 16.0, 45.0)
    muscle = _given_body(age, bmi, MUSCLE_ON_AGE, MUSCLE_ON_BMI)
    muscle = muscle + np.sqrt(MUSCLE_GIVEN_BODY) * draws["muscle"]
    visceral = _given_body(age, bmi, VISCERAL_ON_AGE, VISCERAL_ON_BMI)
    visceral = visceral + np.sqrt(VISCERAL_GIVEN_BODY) * draws["visceral"]
    return Body(
        hospital=1 - draws.chance("hospital", NORTH_SHARE),
        age=age,
        bmi=bmi,
        height=MEAN_HEIGHT + HEIGHT_SPREAD * np.clip(draws["height"], -3, 3),
        muscle=muscle,
        visceral=visceral,
        measured_muscle=muscle + MUSCLE_ERROR * draws["measured_muscle"],
        measured_visceral=visceral + VISCERAL_ERROR * draws["measured_visceral"],
        menopause=(age + 4.0 * draws["menopause"] > 50.5).astype(np.int64),
    )


def expected_muscle(body: Body) -> Floats:
    """What age and BMI say of the muscle area, in standard units."""
    return _given_body(body.age, body.bmi, MUSCLE_ON_AGE, MUSCLE_ON_BMI)


def expected_visceral(body: Body) -> Floats:
    """What age and BMI say of the visceral fat area, in standard units."""
    return _given_body(body.age, body.bmi, VISCERAL_ON_AGE, VISCERAL_ON_BMI)


def _given_body(age: Floats, bmi: Floats, on_age: float, on_bmi: float) -> Floats:
    return on_age * standard_age(age) + on_bmi * standard_bmi(bmi)


def _tumour(draws: Draws) -> Tumour:
    subtype = draws.one_of("subtype", SUBTYPE_SHARES)
    luminal, aggressive = subtype <= 1, subtype >= 2
    er = np.where(luminal, draws.chance("er", np.where(subtype == 0, 0.98, 0.94)), 0)
    pr = np.where(luminal, draws.chance("pr", np.where(subtype == 0, 0.92, 0.65)), 0)
    her2 = np.where(subtype == 1, draws.chance("her2", 0.30), (subtype == 2).astype(np.int64))
    stage = np.searchsorted(
        np.cumsum(N_STAGE_SHARES)[:-1], np.clip(draws.uniform("n_stage") + 0.04 * aggressive, 0, 1)
    ).astype(np.int64)
    return Tumour(
        subtype=subtype,
        er=er,
        pr=np.where(luminal & (er == 0), 1, pr),  # luminal: at least one hormone receptor
        her2=her2,
        ki67=np.clip(
            np.round(100 * expit(KI67_CENTRE[subtype] + KI67_SPREAD * draws["ki67"])), 1, 99
        ),
        n_stage=stage,
        size=np.clip(
            np.round(np.exp(SIZE_CENTRE[stage] + SIZE_SPREAD * draws["tumour_size"]), 1), 0.3, 15
        ),
        lvi=draws.chance("lvi", LVI_RISK[stage]),
        cea=np.maximum(np.round(np.exp(CEA_CENTRE[stage] + CEA_SPREAD * draws["cea"]), 2), 0.1),
        multifocal=draws.chance("multifocal", 0.18),
        histology=draws.one_of("histology", HISTOLOGY_SHARES),
    )


def _treatment(draws: Draws, body: Body, tumour: Tumour) -> Treatment:
    hormone = (tumour.er + tumour.pr) > 0
    low_risk = (tumour.subtype == 0) & (tumour.n_stage == 0)
    fit = np.where(body.age > 70, 0.6, 1.0)
    return Treatment(
        endocrine=np.where(hormone, draws.chance("endocrine", 0.92), 0),
        radiotherapy=draws.chance("radiotherapy", np.where(tumour.n_stage > 0, 0.82, 0.45)),
        chemotherapy=draws.chance("chemotherapy", np.where(low_risk, 0.25, 0.9) * fit),
    )
