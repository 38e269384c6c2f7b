"""A network used as it is: features of its layers into an estimator of scikit-learn.

    layers -> maps max-pooled per channel -> scaled -> estimator -> raw score -> probability

Scaling and estimator are fitted on the training rows. An estimator's own idea of a probability is
none (a support vector machine has only a distance), so probabilities are calibrated, as Platt did
(1999): each training patient is scored by an estimator that was fitted without that patient, and
one logistic curve from those scores to the labels is kept. The estimator that answers afterwards
was fitted on all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oncotrail.backbones.estimated import Estimated, raw_scores
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.scoring import Numbers
from oncotrail.errors import StudyFileError, TrainingFault


@dataclass(frozen=True)
class EstimatorPlan:
    """Which layers go into which classifier."""

    name: str  # in full: sklearn.svm.SVC
    options: Mapping[str, Any]
    layers: tuple[str, ...] = ()  # none: the trunk's own features
    folds: int = 5


def estimated(plan: EstimatorPlan, training: Examples, seed: int) -> Estimated:
    """Fit on these features and labels (0 or 1), which are the training rows alone."""
    training.check("training")
    if not np.isin(training.labels, (0, 1)).all():
        message = "route: off_the_shelf tells an outcome from its absence; labels are 0 and 1."
        raise StudyFileError(message)
    features, labels = np.asarray(training.inputs), training.labels
    pipeline = _fitted(unfitted(plan, seed), features, labels)
    apart = _out_of_fold(plan, features, labels, training.patients, seed)
    slope, intercept = logistic_curve(apart, labels)
    return Estimated(pipeline, slope, intercept, plan.layers)


def unfitted(plan: EstimatorPlan, seed: int) -> Any:
    """Scaling and the classifier, or a sentence that says why there is none of this name."""
    from sklearn.base import is_classifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    module, _, name = plan.name.rpartition(".")
    kind = None
    if module.startswith("sklearn."):
        with suppress(ImportError):
            kind = getattr(import_module(module), name, None)
    if kind is None:
        message = f"{plan.name} is not in scikit-learn; write e.g. sklearn.svm.SVC."
        raise StudyFileError(message)
    try:
        estimator = kind(**plan.options)
    except (TypeError, ValueError) as error:
        message = f"{plan.name} cannot be built with {dict(plan.options)}: {error}."
        raise StudyFileError(message) from None
    if not is_classifier(estimator):
        message = f"{plan.name} is no classifier; the outcome is a class."
        raise StudyFileError(message)
    if "random_state" in estimator.get_params() and "random_state" not in plan.options:
        estimator.set_params(random_state=seed % 2**32)
    return make_pipeline(StandardScaler(), estimator)


def logistic_curve(scores: Numbers, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and intercept of the curve from a raw score to the logit of class 1.

    Platt's targets, (N1 + 1) / (N1 + 2) and 1 / (N0 + 2), keep it finite where scores separate the
    classes. Each row enters twice, as either class, with its target as weight.
    """
    from oncotrail.statistics.regression.logistic import fit_logistic

    positives = int(labels.sum())
    target = np.where(
        labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2)
    )
    spread = float(np.std(scores))
    if spread == 0:
        message = (
            "the estimator gives every training patient the same score; its features say nothing, "
            "or its options leave it no choice. Take other layers or options."
        )
        raise TrainingFault(message)
    centre = float(np.mean(scores))
    scaled = np.tile((scores - centre) / spread, 2)[:, None]
    classes = np.repeat([1, 0], len(scores))
    fit = fit_logistic(classes, scaled, weights=np.concatenate([target, 1 - target]))
    at_centre, steepness = (float(number) for number in fit.coefficients)
    return steepness / spread, at_centre - steepness * centre / spread


def _out_of_fold(
    plan: EstimatorPlan,
    features: Numbers,
    labels: NDArray[np.int64],
    patients: Sequence[str],
    seed: int,
) -> Numbers:
    """Each image's raw score from an estimator that saw nothing of its patient."""
    from sklearn.model_selection import StratifiedGroupKFold

    named = np.asarray(patients)
    of_each_class = [len(np.unique(named[labels == label])) for label in (0, 1)]
    if min(of_each_class) < plan.folds:
        message = (
            f"of the training patients {of_each_class[0]} are negative and {of_each_class[1]} "
            f"positive; each of {plan.folds} folds needs both. Lower route.folds."
        )
        raise TrainingFault(message)
    scores = np.full(len(labels), np.nan)
    folds = StratifiedGroupKFold(plan.folds, shuffle=True, random_state=seed % 2**32)
    for rest, held_out in folds.split(features, labels, groups=named):
        pipeline = _fitted(unfitted(plan, seed), features[rest], labels[rest])
        scores[held_out] = raw_scores(pipeline, features[held_out])
    return scores


def _fitted(pipeline: Any, features: Numbers, labels: NDArray[np.int64]) -> Any:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return pipeline.fit(features, labels)
        except ConvergenceWarning as warning:
            reason = " ".join(str(warning).split())[:120]
            message = f"the estimator has not converged ({reason}); raise its max_iter."
            raise TrainingFault(message) from None
