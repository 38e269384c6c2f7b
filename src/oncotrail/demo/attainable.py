"""The best prediction of metastasis that each column set allows, and its AUC.

The table shows the clinical columns, some blank, with muscle and fat measured badly by hand; a
slice shows its true area. Given what a column set shows, the unseen parts of eta (see `outcome`)
are Gaussian with known mean and variance, apart from a blank LVI, which is 0 or 1 with known
chances. So the Bayes score is exact, up to the rounding of the table's numbers:

    P(metastasis | seen) = Phi( E[eta | seen] / sqrt(unknown variance + Var[eta | seen]) ),

averaged over LVI where it is blank. No model can have a higher expected AUC than this score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from oncotrail.demo import people as who
from oncotrail.demo.blanks import Blanks
from oncotrail.demo.draws import Codes, Floats
from oncotrail.demo.outcome import (
    CEA_MIDDLE,
    KI67_MIDDLE,
    SIZE_MIDDLE,
    UNKNOWN_VARIANCE,
    Effects,
    certain_part,
    ki67_term,
)
from oncotrail.demo.people import People

COLUMN_SETS: Final = {  # column set -> the views whose true area it shows
    "clinical": frozenset[str](),
    "clinical_t4": frozenset({"t4"}),
    "clinical_t11": frozenset({"t11"}),
    "clinical_t4_t11": frozenset({"t4", "t11"}),
}


@dataclass(frozen=True)
class Belief:
    """What is known of a quantity per patient: Gaussian with this mean and variance."""

    mean: Floats
    variance: Floats

    def times(self, coefficient: float) -> Belief:
        """The belief about coefficient * quantity."""
        return Belief(coefficient * self.mean, coefficient**2 * self.variance)

    def plus(self, other: Belief) -> Belief:
        """The belief about the sum with an independent quantity."""
        return Belief(self.mean + other.mean, self.variance + other.variance)


def scores(planted: Effects, people: People, blanks: Blanks) -> dict[str, Floats]:
    """P(metastasis | what the column set shows) for every column set."""
    return {name: _score(planted, people, blanks, views) for name, views in COLUMN_SETS.items()}


def _score(planted: Effects, people: People, blanks: Blanks, views: frozenset[str]) -> Floats:
    eta = _tumour_part(planted, people, blanks).plus(_body_part(planted, people, blanks, views))
    spread = np.sqrt(UNKNOWN_VARIANCE + eta.variance)
    without, with_lvi = ndtr(eta.mean / spread), ndtr((eta.mean + planted.lvi) / spread)
    risk = who.LVI_RISK[people.tumour.n_stage]
    lvi = np.where(blanks.lvi, risk, people.tumour.lvi)
    score: Floats = (1 - lvi) * without + lvi * with_lvi
    return score


def _tumour_part(planted: Effects, people: People, blanks: Blanks) -> Belief:
    """All tumour terms but LVI."""
    tumour = people.tumour
    certain = certain_part(planted, tumour)
    ki67 = _seen_or(
        blanks.ki67,
        ki67_term(tumour.ki67),
        who.KI67_CENTRE[tumour.subtype] - KI67_MIDDLE,
        who.KI67_SPREAD,
    )
    size = _seen_or(
        blanks.tumour_size,
        np.log(tumour.size) - SIZE_MIDDLE,
        who.SIZE_CENTRE[tumour.n_stage] - SIZE_MIDDLE,
        who.SIZE_SPREAD,
    )
    cea = _seen_or(
        blanks.cea,
        np.log(tumour.cea) - CEA_MIDDLE,
        who.CEA_CENTRE[tumour.n_stage] - CEA_MIDDLE,
        who.CEA_SPREAD,
    )
    belief = Belief(certain, np.zeros_like(certain))
    for coefficient, part in ((planted.ki67, ki67), (planted.size, size), (planted.cea, cea)):
        belief = belief.plus(part.times(coefficient))
    return belief


def _body_part(planted: Effects, people: People, blanks: Blanks, views: frozenset[str]) -> Belief:
    """Muscle and visceral fat: exact from a slice, else from the measurement, age and BMI."""
    body = people.body
    nothing = np.zeros_like(body.muscle)
    muscle = (
        Belief(body.muscle, nothing)
        if "t4" in views
        else _measured(
            Belief(who.expected_muscle(body), nothing + who.MUSCLE_GIVEN_BODY),
            np.where(blanks.muscle, np.nan, body.measured_muscle),
            who.MUSCLE_ERROR,
        )
    )
    visceral = (
        Belief(body.visceral, nothing)
        if "t11" in views
        else _measured(
            Belief(who.expected_visceral(body), nothing + who.VISCERAL_GIVEN_BODY),
            np.where(blanks.visceral, np.nan, body.measured_visceral),
            who.VISCERAL_ERROR,
        )
    )
    return muscle.times(-planted.muscle).plus(visceral.times(planted.visceral))


def _measured(before: Belief, measurement: Floats, error: float) -> Belief:
    """The belief after a measurement with a Gaussian error; NaN is no measurement."""
    seen = np.isfinite(measurement)
    gain = np.where(seen, before.variance / (before.variance + error**2), 0.0)
    surprise = np.where(seen, measurement, before.mean) - before.mean
    return Belief(before.mean + gain * surprise, (1 - gain) * before.variance)


def _seen_or(blank: NDArray[np.bool_], value: Floats, centre: Floats, spread: float) -> Belief:
    return Belief(np.where(blank, centre, value), np.where(blank, spread**2, 0.0))


def auc(labels: Codes, score: Floats) -> float:
    """The chance that a patient with metastasis scores above one without; ties count half."""
    ranks = rankdata(score)
    events = int(labels.sum())
    others = labels.size - events
    return float((ranks[labels == 1].sum() - events * (events + 1) / 2) / (events * others))


def expected_auc(probability: Floats) -> float:
    """The AUC of a calibrated score over the outcomes that it expects: no labels, less noise."""
    ordered = np.sort(probability)
    below = np.cumsum(1 - ordered) - (1 - ordered)
    own = ordered * (1 - ordered)  # each patient against herself: a tie in expectation
    wins = (ordered * below).sum() + own.sum() / 2
    return float(wins / (ordered.sum() * (1 - ordered).sum()))
