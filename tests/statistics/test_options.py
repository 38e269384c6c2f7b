"""A misspelt option is refused: it must never silently mean another statistic."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oncotrail.statistics.agreement.fleiss import fleiss_kappa, fleiss_kappa_of_counts
from oncotrail.statistics.agreement.kappa import cohen_kappa, kappa_of_table
from oncotrail.statistics.agreement.modalities import compare_modalities
from oncotrail.statistics.agreement.reader_groups import model_against_groups
from oncotrail.statistics.agreement.reader_study import reader_study
from oncotrail.statistics.agreement.readers_mean import mean_over_readers
from oncotrail.statistics.arrays import one_of
from oncotrail.statistics.calibration.bins import (
    calibration_bins,
    debiased_squared_error,
    expected_calibration_error,
)
from oncotrail.statistics.calibration.curve import calibration_errors, loess_curve
from oncotrail.statistics.calibration.observed_expected import observed_expected
from oncotrail.statistics.calibration.recalibration import recalibrate
from oncotrail.statistics.calibration.validation import validate
from oncotrail.statistics.classification.comparison import mcnemar
from oncotrail.statistics.classification.compound import balanced_accuracy, f1_score
from oncotrail.statistics.classification.confusion import Confusion
from oncotrail.statistics.classification.cut_points import binary_cut_point
from oncotrail.statistics.classification.figures import classify, figures_of
from oncotrail.statistics.classification.thresholds import apply_threshold, choose_youden
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.partial import partial_auc
from oncotrail.statistics.intervals import proportion
from oncotrail.statistics.outcome import Outcome, TimeToEvent
from oncotrail.statistics.planning.auc_size import (
    auc_difference_size,
    auc_standard_error,
    auc_width_size,
)
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.term_test import term_test
from oncotrail.statistics.survival.brier import integrated_brier, scaled_integrated_brier
from oncotrail.statistics.survival.competing_risks import (
    cumulative_incidence,
    cumulative_incidence_by_group,
)
from oncotrail.statistics.survival.cut_points import survival_cut_point
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.time_dependent import integrated_auc
from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.bootstrap import bootstrap, bootstrap_together
from oncotrail.statistics.uncertainty.permutation import auc_test, paired_permutation_test
from oncotrail.statistics.uncertainty.pooling import pool
from oncotrail.statistics.uncertainty.resampling import resample

Y = [0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1]
P = [0.1, 0.5, 0.2, 0.9, 0.6, 0.7, 0.3, 0.4, 0.35, 0.55, 0.8, 0.65]
TIMES, EVENTS = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]
SURVIVAL = np.tile([0.8, 0.5], (6, 1))
READINGS = [[[1, 2], [3, 1], [3, 3], [4, 2]]]
CALLS = [[1, 1], [1, 0], [0, 0], [0, 0], [1, 0]]
COUNTS = Confusion(8, 4, 16, 2)


def random() -> np.random.Generator:
    return np.random.default_rng(1)


def drawn() -> Any:
    return resample(range(12), strata=Y, generator=random(), number=40)


def whole(w: Any) -> Any:
    return metrics.auc(Y, P, w)


def model(_: Any) -> Any:
    return lambda rows: np.asarray(P)[rows]


# Each takes the option: with the one that is named first it must work.
DOORS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "calibration_bins": ("width", lambda o: calibration_bins(Y, P, by=o)),
    "expected_calibration_error": (
        "width",
        lambda o: expected_calibration_error(Y, P, by=o, resamples=None),
    ),
    "debiased_squared_error": (
        "mass",
        lambda o: debiased_squared_error(Y, P, bins=3, by=o, resamples=None),
    ),
    "calibration_errors": (
        "lowess",
        lambda o: calibration_errors(Y, P, smoother=o, resamples=None),
    ),
    "loess_curve": ("binomial", lambda o: loess_curve(Y, P, variance=o)),
    "observed_expected": ("exact", lambda o: observed_expected(Y, P, method=o)),
    "recalibrate": ("intercept", lambda o: recalibrate(Y, P, update=o)),
    "validate": ("bootstrap", lambda o: validate(Y, model, drawn(), method=o)),
    "proportion": ("exact", lambda o: proportion(3, 4, 4, method=o)),
    "proportion of nobody": ("exact", lambda o: (proportion(0, 0, 0, method=o), 1)),
    "balanced_accuracy": ("exact", lambda o: balanced_accuracy(COUNTS, method=o)),
    "f1_score": ("exact", lambda o: f1_score(COUNTS, method=o)),
    "figures_of": ("exact", lambda o: figures_of(COUNTS, 0.5, method=o)),
    "classify": ("exact", lambda o: classify(Y, P, 0.5, method=o)),
    "apply_threshold": (
        "exact",
        lambda o: apply_threshold(
            choose_youden(Y, P, role="validation"), Y[1:], P[1:], role="test", method=o
        ),
    ),
    "mcnemar": ("exact", lambda o: mcnemar(Y, Y[::-1], o)),
    "auc": ("linear", lambda o: auc(Y, P, interval=o)),
    "partial_auc": ("sensitivity", lambda o: partial_auc(Y, P, (0.5, 1), focus=o)),
    "pool": ("mean", lambda o: pool(range(12), Y, P, o)),
    "bootstrap": ("basic", lambda o: bootstrap(whole, drawn(), method=o)),
    "bootstrap_together": ("basic", lambda o: bootstrap_together({"a": whole}, drawn(), method=o)),
    "auc_test": (
        "two-sided",
        lambda o: auc_test(Y, P, generator=random(), alternative=o, permutations=9),
    ),
    "paired_permutation_test": (
        "greater",
        lambda o: paired_permutation_test(
            metrics.auc,
            Y,
            P,
            P[::-1],
            ranked=True,
            generator=random(),
            alternative=o,
            permutations=9,
        ),
    ),
    "auc_standard_error": ("Newcombe", lambda o: auc_standard_error(0.8, 100, 0.5, method=o)),
    "auc_width_size": ("Newcombe", lambda o: auc_width_size(0.8, 0.5, 0.1, method=o)),
    "auc_difference_size": (
        "Newcombe",
        lambda o: auc_difference_size(0.75, 0.85, 0.5, method=o),
    ),
    "reader_study": ("DeLong", lambda o: reader_study([0, 0, 1, 1], READINGS, covariance=o)),
    "compare_modalities": (
        "cases",
        lambda o: compare_modalities(reader_study([0, 0, 1, 1], READINGS * 2), sampling=o),
    ),
    "mean_over_readers": (
        "cases",
        lambda o: mean_over_readers([0.8, 0.9], [[0.004, 0.001], [0.001, 0.002]], o),
    ),
    "model_against_groups": (
        "cases",
        lambda o: model_against_groups(
            [1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.2], CALLS, ["a", "a"], sampling=o
        ),
    ),
    "cohen_kappa": ("linear", lambda o: cohen_kappa(Y, Y[::-1], weighting=o)),
    "kappa_of_table": ("linear", lambda o: kappa_of_table([[20, 5], [10, 15]], weighting=o)),
    "fleiss_kappa": ("null", lambda o: fleiss_kappa([[1, 1], [0, 1], [0, 0]], interval=o)),
    "fleiss_kappa_of_counts": (
        "null",
        lambda o: fleiss_kappa_of_counts([[0, 3], [2, 1], [3, 0]], interval=o),
    ),
    "kaplan_meier": ("plain", lambda o: kaplan_meier(TIMES, EVENTS, band=o)),
    "integrated_auc": (
        "time",
        lambda o: integrated_auc(TIMES, EVENTS, [6, 3, 4, 5, 1, 2], [2.5, 4.5], mean_over=o),
    ),
    "integrated_brier": (
        "step",
        lambda o: integrated_brier(TIMES, EVENTS, SURVIVAL, [2.5, 4.5], rule=o),
    ),
    "scaled_integrated_brier": (
        "step",
        lambda o: scaled_integrated_brier(TIMES, EVENTS, SURVIVAL, [2.5, 4.5], rule=o),
    ),
    "cumulative_incidence": (
        "jackknife",
        lambda o: cumulative_incidence(TIMES, EVENTS, variance=o),
    ),
    "cumulative_incidence_by_group": (
        "jackknife",
        lambda o: cumulative_incidence_by_group(TIMES, EVENTS, [1, 1, 1, 2, 2, 2], variance=o),
    ),
    "survival_cut_point": (
        "Lau92",
        lambda o: survival_cut_point([1, 2, 3, 4, 5, 6], TIMES, EVENTS, role="train", correction=o),
    ),
    "binary_cut_point": (
        "Lau92",
        lambda o: binary_cut_point(Y, P, role="train", correction=o),
    ),
    "term_test": (
        "wald",
        lambda o: term_test(fit_cox(TIMES, EVENTS, [0, 1, 0, 1, 1, 0]), [0], o),
    ),
    "Outcome": ("exclude", lambda o: Outcome([1, 0], event=1, no_event=0, blanks=o)),
    "TimeToEvent": (
        "exclude",
        lambda o: TimeToEvent([1, 2], [1, 0], event=1, censored=0, blanks=o),
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_misspelt_option_is_refused(door: str) -> None:
    right, call = DOORS[door]
    assert call(right) is not None
    with pytest.raises(ValueError, match=f"found '{right}s', expected one of .*{right}"):
        call(f"{right}s")


def test_an_option_that_exists_passes() -> None:
    assert one_of("mass", ("width", "mass"), "by") == "mass"
