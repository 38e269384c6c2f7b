"""A fitted estimator of features, and its curve to probabilities; on disk without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oncotrail.backbones.scoring import Numbers
from oncotrail.errors import StudyFileError
from oncotrail.record import sha256_of
from oncotrail.skops_archive import bytes_of, read_estimator

ESTIMATOR = "estimator.skops"
# Our own list, not the file's: what skops would not build unasked, and what scikit-learn's trees,
# neighbours, boosting, perceptrons and Gaussian processes keep their numbers in.
TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)


@dataclass(frozen=True)
class Estimated:
    """A fitted pipeline and the curve from its raw scores to probabilities."""

    pipeline: Any
    slope: float
    intercept: float
    layers: tuple[str, ...] = ()  # whose features it reads; none: the trunk's own

    def logits(self, features: Numbers) -> Numbers:
        """Of images x features; the sigmoid of a logit is the probability of class 1."""
        return self.slope * raw_scores(self.pipeline, features) + self.intercept


@dataclass(frozen=True)
class EstimatorFile:
    """What network.json says of it."""

    layers: tuple[str, ...]
    slope: float
    intercept: float
    sha256: str


def raw_scores(pipeline: Any, features: Numbers) -> Numbers:
    """Higher means more likely: a distance from the boundary, else the estimator's probability."""
    if hasattr(pipeline, "decision_function"):
        return np.asarray(pipeline.decision_function(features), dtype=np.float64)
    if hasattr(pipeline, "predict_proba"):
        return np.asarray(pipeline.predict_proba(features)[:, 1], dtype=np.float64)
    message = f"{type(pipeline[-1]).__name__} says a class and no score; take another estimator."
    raise StudyFileError(message)


def write_estimated(estimated: Estimated, folder: Path) -> EstimatorFile:
    """Write the estimator, and read it again: one that could not be loaded is told now."""
    path = folder / ESTIMATOR
    path.write_bytes(bytes_of(estimated.pipeline))
    own = (estimated.layers, estimated.slope, estimated.intercept)
    written = EstimatorFile(*own, sha256_of(path))
    read_estimated(written, folder)
    return written


def read_estimated(described: EstimatorFile, folder: Path) -> Estimated:
    """The estimator beside its network, if it is the one that network.json describes."""
    pipeline = read_estimator(folder / ESTIMATOR, described.sha256, TRUSTED, "train")
    return Estimated(pipeline, described.slope, described.intercept, described.layers)
