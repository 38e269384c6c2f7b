"""Figures of each outer fold by itself, and their mean over the folds.

The mean's interval is Nadeau and Bengio's: folds share training patients, so a plain t interval
over their figures would be far too narrow. The models of a fold were made from its training and its
validation patients (these chose the epoch and the threshold), so the correction weighs the test
patients against both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oncotrail.evaluation.folds import Fold
from oncotrail.evaluation.judged import JUDGES
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.uncertainty.cross_validation import (
    FoldTest,
    Repeated,
    fold_interval,
    fold_test,
)

METHOD = "Nadeau and Bengio"


@dataclass(frozen=True)
class FoldAverage:
    """A model's AUC on the test patients of each outer fold, and the mean of these."""

    folds: Mapping[int, Estimate]
    mean: Repeated


def fold_average(folds: Sequence[Fold], model: str, confidence: float) -> FoldAverage:
    """The mean AUC of the outer folds of a cross-validation."""
    areas = {fold.number: _area(fold, model, confidence) for fold in folds}
    train, test = _sizes(folds)
    mean = fold_interval(
        [area.value for area in areas.values()],
        train=train,
        test=test,
        confidence=confidence,
        limits=(0, 1),
    )
    return FoldAverage(areas, mean)


def average_difference(
    folds: Sequence[Fold], first: str, second: str, confidence: float
) -> FoldTest:
    """The first model's mean AUC minus the second's, tested over the same folds."""
    differences = [
        _area(fold, first, confidence).value - _area(fold, second, confidence).value
        for fold in folds
    ]
    train, test = _sizes(folds)
    return fold_test(differences, train=train, test=test, confidence=confidence, limits=(-1, 1))


def _area(fold: Fold, model: str, confidence: float) -> Estimate:
    among = fold.roles[JUDGES]
    return auc(among.labels, among.scores[model], confidence)


def _sizes(folds: Sequence[Fold]) -> tuple[list[int], list[int]]:
    return [fold.not_tested for fold in folds], [len(fold.roles[JUDGES].patients) for fold in folds]
