"""The best prediction of metastasis that each column set allows, and its AUC.

eta (see `outcome`) rests on three causes that may be hidden, each 0 or 1 and independent of the
others given the rest of the table: sarcopenia, visceral obesity and LVI. The table shows LVI unless
it is blank, and muscle and visceral fat as measured badly by hand; a slice shows the true area.
Either way the area x is Gaussian given the group, around centres c (at risk) and d (usual) with one
spread s (by hand, of patients and error together), so by Bayes' rule

    log odds(at risk | x) = log odds(at risk | age, BMI) + (x - (c + d) / 2) * (c - d) / s^2.

With p, q, r the chances of the three given what a column set shows, the Bayes score is exact, up to
the rounding of the table's numbers and the few areas that `people` clips:

    P(metastasis | seen) = sum over (i, j, k) in {0, 1}^3 of
                           p_i * q_j * r_k * Phi( eta(i, j, k) / sqrt(unknown variance) ).

No model can have a higher expected AUC than this score.
"""

from __future__ import annotations

from itertools import product
from math import hypot
from typing import Final

import numpy as np
from scipy.special import expit, logit, ndtr

from oncotrail.demo.blanks import Blanks
from oncotrail.demo.draws import Floats
from oncotrail.demo.outcome import UNKNOWN_VARIANCE, Effects, eta
from oncotrail.demo.people import LVI_RISK, MUSCLE, VISCERAL, Body, People, Tissue

COLUMN_SETS: Final = {  # column set -> the views whose true area it shows
    "clinical": frozenset[str](),
    "clinical_t4": frozenset({"t4"}),
    "clinical_t11": frozenset({"t11"}),
    "clinical_t4_t11": frozenset({"t4", "t11"}),
}


def scores(planted: Effects, people: People, blanks: Blanks) -> dict[str, Floats]:
    """P(metastasis | what the column set shows) for every column set."""
    return {name: _score(planted, people, blanks, views) for name, views in COLUMN_SETS.items()}


def _score(planted: Effects, people: People, blanks: Blanks, views: frozenset[str]) -> Floats:
    hidden = (
        sarcopenia_chance(people.body, blanks, seen="t4" in views),
        visceral_obesity_chance(people.body, blanks, seen="t11" in views),
        np.where(blanks.lvi, LVI_RISK[people.tumour.n_stage], people.tumour.lvi),
    )
    score = np.zeros_like(people.body.age)
    for sarcopenia, obesity, lvi in product((0, 1), repeat=3):
        weight = np.ones_like(score)
        for chance, state in zip(hidden, (sarcopenia, obesity, lvi), strict=True):
            weight *= chance if state else 1 - chance
        liability = eta(planted, sarcopenia, obesity, people.tumour.n_stage, lvi)
        score += weight * ndtr(liability / np.sqrt(UNKNOWN_VARIANCE))
    return score


def sarcopenia_chance(body: Body, blanks: Blanks, *, seen: bool) -> Floats:
    """P(sarcopenia | age, BMI, and the T4 slice where it is seen, else the hand's measurement)."""
    before = MUSCLE.chance(body.age, body.bmi)
    if seen:
        return _after(before, MUSCLE, body.muscle)
    return np.where(blanks.muscle, before, _after_hand(before, MUSCLE, body.measured_muscle))


def visceral_obesity_chance(body: Body, blanks: Blanks, *, seen: bool) -> Floats:
    """P(visceral obesity | age, BMI, and the T11 slice where it is seen, else the measurement)."""
    before = VISCERAL.chance(body.age, body.bmi)
    if seen:
        return _after(before, VISCERAL, body.visceral)
    after = _after_hand(before, VISCERAL, body.measured_visceral)
    return np.where(blanks.visceral, before, after)


def _after(before: Floats, tissue: Tissue, area: Floats) -> Floats:
    """The chance of being at risk once the true area is seen."""
    apart = tissue.at_risk - tissue.usual
    return _updated(before, (area - tissue.middle) * apart / tissue.spread**2)


def _after_hand(before: Floats, tissue: Tissue, measured: Floats) -> Floats:
    """The chance of being at risk once the hand's measurement is read."""
    apart = tissue.agreement * (tissue.at_risk - tissue.usual)
    spread = hypot(tissue.agreement * tissue.spread, tissue.error)
    return _updated(before, (measured - tissue.middle) * apart / spread**2)


def _updated(before: Floats, evidence: Floats) -> Floats:
    after: Floats = expit(logit(before) + evidence)
    return after


def expected_auc(probability: Floats) -> float:
    """The AUC of a calibrated score over the outcomes that it expects: no labels, less noise."""
    ordered = np.sort(probability)
    below = np.cumsum(1 - ordered) - (1 - ordered)
    own = ordered * (1 - ordered)  # each patient against herself: a tie in expectation
    wins = (ordered * below).sum() + own.sum() / 2
    return float(wins / (ordered.sum() * (1 - ordered).sum()))
