"""Who the invented patients are, before anything is blank: body, tumour, treatment.

The order of drawing is the order of causes:

    age, BMI, height                      independent
    sarcopenia, visceral obesity          each a group, a little likelier by age and BMI
    true muscle and visceral fat area     Gaussian given the group
    measured muscle and fat               by hand, on another slice: a part of the true
                                          difference, and a large error
    subtype                               -> receptors, Ki-67, N stage
    tumour size, LVI, CEA                 given N stage
    treatments                            given receptors, subtype, N stage and age

Both areas have two peaks, one per group, with little between them. The columns that may be blank
in the table cause no other column. That is what keeps the best attainable prediction computable in
closed form (`attainable`).
"""

# ruff: noqa: PLR2004 - ages, codes and shares are read where they stand
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from scipy.special import expit, logit, ndtr

from oncotrail.demo.draws import Codes, Draws, Floats

HOSPITALS: Final = ("North Bank", "South Cliff")
NORTH_SHARE: Final = 0.58

MEAN_HEIGHT, HEIGHT_SPREAD = 1.60, 0.06  # metres

# By subtype (luminal A, luminal B, HER2-enriched, triple negative): Ki-67 is logit-normal.
SUBTYPE_SHARES: Final = (0.30, 0.38, 0.14, 0.18)
KI67_CENTRE: Final = logit(np.array([0.08, 0.32, 0.40, 0.55]))
KI67_SPREAD: Final = 0.45
# By N stage: tumour size and CEA are log-normal.
N_STAGE_SHARES: Final = (0.48, 0.28, 0.14, 0.10)
SIZE_CENTRE: Final = np.log(1.8) + np.array([0.0, 0.45, 0.65, 0.85])
SIZE_SPREAD: Final = 0.42
CEA_CENTRE: Final = np.log(1.9) + 0.30 * np.arange(4)
CEA_SPREAD: Final = 0.65
LVI_RISK: Final = np.array([0.08, 0.72, 0.85, 0.92])

HISTOLOGY_SHARES: Final = (0.84, 0.09, 0.07)
YOUNG_SHARE: Final = 1 / 150  # under-age records, which the study's eligibility rule keeps out


@dataclass(frozen=True)
class Tissue:
    """A tissue whose area has two peaks, one for each group of patients; cm2.

    A patient is in the group at risk where a standard normal liability is above 0; age and BMI
    explain a little of it. The true area is Gaussian given the group, the measured area Gaussian
    given the true one.
    """

    usual: float  # mean area of the group that is not at risk
    at_risk: float  # mean area of the group that is
    spread: float  # between the patients of a group
    error: float  # of the hand measurement, so large that the image knows more than the table
    agreement: float  # the part of a difference in area that the hand's slice shows too
    on_age: float  # of the liability, by standard age
    on_bmi: float

    def chance(self, age: Floats, bmi: Floats) -> Floats:
        """The chance of being at risk that age and BMI tell."""
        chance: Floats = ndtr(self._expected(age, bmi) / sqrt(self._unexplained))
        return chance

    def group(self, age: Floats, bmi: Floats, draw: Floats) -> Codes:
        """1 for the patients at risk, else 0."""
        liability = self._expected(age, bmi) + sqrt(self._unexplained) * draw
        return (liability > 0).astype(np.int64)

    def area(self, group: Codes, draw: Floats) -> Floats:
        """The true area."""
        centre = np.where(group == 1, self.at_risk, self.usual)
        return centre + self.spread * draw.clip(-MOST_SPREADS, MOST_SPREADS)

    def measured(self, area: Floats, draw: Floats) -> Floats:
        """The area that a hand draws on another slice."""
        return self.middle + self.agreement * (area - self.middle) + self.error * draw

    @property
    def middle(self) -> float:
        """Between the two groups."""
        return (self.usual + self.at_risk) / 2

    def _expected(self, age: Floats, bmi: Floats) -> Floats:
        return self.on_age * standard_age(age) + self.on_bmi * standard_bmi(bmi)

    @property
    def _unexplained(self) -> float:
        return 1 - self.on_age**2 - self.on_bmi**2


MOST_SPREADS: Final = 3.0  # so that every body has room for its tissues
MUSCLE: Final = Tissue(
    usual=46, at_risk=22, spread=4, error=12, agreement=0.35, on_age=0.15, on_bmi=-0.15
)
VISCERAL: Final = Tissue(
    usual=55, at_risk=145, spread=15, error=45, agreement=0.35, on_age=0.10, on_bmi=0.25
)


@dataclass(frozen=True)
class Body:
    """Arrays over patients. Areas are in cm2."""

    hospital: Codes  # index into HOSPITALS
    age: Floats  # years
    bmi: Floats
    height: Floats  # metres; in no column, but PMI divides by its square
    sarcopenia: Codes  # 1 in the group with little pectoral muscle
    visceral_obesity: Codes  # 1 in the group with much visceral fat
    muscle: Floats  # pectoral muscle at T4, as the image shows it
    visceral: Floats  # visceral fat at T11, as the image shows it
    measured_muscle: Floats
    measured_visceral: Floats
    menopause: Codes


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
    sarcopenia = MUSCLE.group(age, bmi, draws["sarcopenia"])
    obesity = VISCERAL.group(age, bmi, draws["visceral_obesity"])
    muscle = MUSCLE.area(sarcopenia, draws["muscle"])
    visceral = VISCERAL.area(obesity, draws["visceral"])
    return Body(
        hospital=1 - draws.chance("hospital", NORTH_SHARE),
        age=age,
        bmi=bmi,
        height=MEAN_HEIGHT + HEIGHT_SPREAD * np.clip(draws["height"], -3, 3),
        sarcopenia=sarcopenia,
        visceral_obesity=obesity,
        muscle=muscle,
        visceral=visceral,
        measured_muscle=MUSCLE.measured(muscle, draws["measured_muscle"]),
        measured_visceral=VISCERAL.measured(visceral, draws["measured_visceral"]),
        menopause=(age + 4.0 * draws["menopause"] > 50.5).astype(np.int64),
    )


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
    spread = tumour.n_stage > 0
    chemotherapy = np.where(spread, 0.92, np.where(tumour.subtype == 0, 0.2, 0.6))
    fit = np.where(body.age > 70, 0.6, 1.0)
    return Treatment(
        endocrine=np.where(hormone, draws.chance("endocrine", 0.92), 0),
        radiotherapy=draws.chance("radiotherapy", np.where(spread, 0.90, 0.25)),
        chemotherapy=draws.chance("chemotherapy", chemotherapy * fit),
    )
