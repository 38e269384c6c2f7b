"""Cox regression with an elastic net: all penalties at once, and the one that cross-validates best.

Find the beta that minimises

    - log partial likelihood / total weight  +  lambda (a sum |b| + (1 - a) / 2 sum b^2),

b on standardised columns (each centred and divided by its standard deviation, with n), Breslow's
ties, a the mixing: 1 is the lasso, 0 the ridge. The largest lambda is the smallest that leaves no
column in; the others go down from it evenly on the log scale, and each fit starts at the previous
one (Simon, Friedman, Hastie and Tibshirani, JSS 2011, 39(5), whose glmnet is followed to the
scaling; `penalised_likelihood` fits one lambda). The problem is convex, so the answer is glmnet's
at a tolerance of nought.

Cross-validation leaves out one fold after the other and asks how much the deviance of *all*
patients exceeds that of the patients fitted on, per event left out: the comparison that keeps risk
sets large (Verweij and van Houwelingen, Statistics in Medicine 1993, 12:2305).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers, column_names
from oncotrail.statistics.regression.cox_sample import CoxSample, cox_sample
from oncotrail.statistics.regression.penalised_likelihood import Penalised
from oncotrail.statistics.regression.standardised import (
    Standardised,
    deviance,
    fits,
    penalty_sequence,
    scaled_deviance,
    standardised,
)
from oncotrail.statistics.results import result

FEWEST_FOLDS = 3
STILL = 5  # penalties


@result
class ElasticNetPath:
    """Coefficients (on the columns' own scale) for each penalty, largest penalty first.

    `deviance_ratio` is the share of the null deviance that is explained, 0 to 1.
    """

    names: tuple[str, ...]
    penalties: Floats
    coefficients: Floats
    deviance_ratio: Floats
    null_deviance: float
    mixing: float
    n: int
    events: int

    def at(self, penalty: float) -> Floats:
        """The coefficients at one of `penalties`."""
        found = np.flatnonzero(np.isclose(self.penalties, penalty, rtol=1e-9, atol=0))
        if not found.size:
            raise ValueError(
                f"found penalty {penalty:g}; expected one of the path's "
                f"{self.penalties.size}, {self.penalties[-1]:g} to {self.penalties[0]:g}."
            )
        return np.asarray(self.coefficients[found[0]])

    def chosen(self, penalty: float) -> tuple[str, ...]:
        """The names of the columns that are in the model at one of `penalties`."""
        return tuple(name for name, b in zip(self.names, self.at(penalty), strict=True) if b)

    def risk(self, covariates: ArrayLike, penalty: float) -> Floats:
        """The linear predictor of new patients (not centred); higher is worse."""
        found = arrays.matrix(covariates, "covariates")
        if found.shape[1] != len(self.names):
            raise ValueError(
                f"found {found.shape[1]} columns of covariates; expected {len(self.names)}."
            )
        return found @ self.at(penalty)


@result
class CrossValidatedPath:
    """The path on all patients, and what each penalty costs on those left out (lower is better).

    `deviance` is per event, `standard_error` its own, over `folds` folds. `best` is the penalty
    of the lowest deviance, `sparser` the largest within one standard error of it.
    """

    path: ElasticNetPath
    deviance: Floats
    standard_error: Floats
    best: float
    sparser: float
    folds: int


def elastic_net_path(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    *,
    mixing: float = 1.0,
    penalties: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    standardise: bool = True,
    names: Sequence[str] | None = None,
) -> ElasticNetPath:
    """Fit every penalty, from the one that leaves all columns out.

    Without `penalties` there are up to 100, down to 1/10,000 of the largest (1/100 with more
    columns than patients); they end early, as glmnet's do, where the deviance explained stands
    still or reaches 0.99, or where no smaller penalty has a fit. `mixing` is 1 for the lasso, 0 for
    the ridge. A constant column keeps the coefficient 0. Only the weights' proportions matter.
    R: glmnet(family = "cox").

    >>> import numpy as np
    >>> x = np.array([[0, 1], [0, 3], [1, 2], [1, 5], [1, 0], [0, 4], [1, 1], [0, 2]])
    >>> path = elastic_net_path([5, 8, 3, 9, 2, 7, 4, 6], [1, 0, 1, 1, 1, 0, 1, 1], x)
    >>> path.chosen(path.penalties[0]), path.chosen(path.penalties[3])
    ((), ('column 1',))
    """
    sample = cox_sample(times, events, covariates, weights=weights, strata=strata)
    net = standardised(sample, mixing, standardise=standardise)
    return _path(net, column_names(names, sample.covariates.shape[1]), penalties)


def cross_validated_path(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    folds: ArrayLike,
    *,
    mixing: float = 1.0,
    penalties: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    standardise: bool = True,
    names: Sequence[str] | None = None,
) -> CrossValidatedPath:
    """Choose a penalty by the folds given (one label per patient; three folds or more).

    All folds are fitted at the penalties of the whole path: R's
    cv.glmnet(family = "cox", lambda = fit$lambda, foldid, grouped = TRUE). Standardisation is
    learnt within each fold's training patients. A fold needs an event, and so do the others.

    >>> import numpy as np
    >>> random = np.random.default_rng(3)
    >>> x = random.normal(size=(60, 5))
    >>> times, fold = random.exponential(np.exp(-x[:, 0])), np.arange(60) % 5
    >>> found = cross_validated_path(times, np.ones(60), x, fold)
    >>> found.path.chosen(found.sparser)
    ('column 0',)
    """
    sample = cox_sample(times, events, covariates, weights=weights, strata=strata)
    net = standardised(sample, mixing, standardise=standardise)
    fold = arrays.groups(folds, sample.times.size, "folds")
    counts = _events_of(sample, fold)
    path = _path(net, column_names(names, sample.covariates.shape[1]), penalties)
    raw = np.array([_excess(net, fold == k, path.penalties) for k in range(counts.size)])
    return _chosen(path, raw / counts[:, None], counts / counts.sum())


def _chosen(path: ElasticNetPath, deviances: Floats, share: Floats) -> CrossValidatedPath:
    """The penalty of the lowest mean over the folds, which count by their share of the events."""
    mean = share @ deviances
    error = np.sqrt(share @ (deviances - mean) ** 2 / (share.size - 1))
    lowest = int(mean.argmin())
    within = mean <= mean[lowest] + error[lowest]
    return CrossValidatedPath(
        path=path,
        deviance=mean,
        standard_error=error,
        best=float(path.penalties[lowest]),
        sparser=float(path.penalties[within].max()),
        folds=share.size,
    )


def _path(net: Standardised, names: tuple[str, ...], penalties: ArrayLike | None) -> ElasticNetPath:
    limits = penalty_sequence(net)  # also where others are given: it refuses what has none
    if penalties is not None:
        limits = np.unique(arrays.column(penalties, "penalties", above=0))[::-1]
    null = deviance(net, np.zeros(len(names)))
    found: list[Floats] = []
    explained: list[float] = []
    for fitted in fits(net, limits) if penalties is not None else _while_defined(net, limits):
        found.append(fitted.coefficients / net.scale)
        explained.append(1 - scaled_deviance(net, fitted.value) / null)
        if penalties is None and _enough(explained):
            break
    return ElasticNetPath(
        names=names,
        penalties=limits[: len(found)],
        coefficients=np.array(found),
        deviance_ratio=np.array(explained),
        # Glmnet's is by the weights as given; everything else, by weights whose mean is 1.
        null_deviance=null * float(net.sample.weights.mean()),
        mixing=net.mixing,
        n=net.sample.n,
        events=net.sample.number_of_events,
    )


def _while_defined(net: Standardised, limits: Floats) -> Iterator[Penalised]:
    """The fits until a penalty is so small that none exists, as where risks differ by e^700."""
    try:
        yield from fits(net, limits)
    except arrays.Undefined:
        return


def _enough(explained: list[float]) -> bool:
    """Glmnet's rule: five penalties gain under 0.001 of the deviance explained, or it is 0.99."""
    if len(explained) < STILL:
        return False
    now = explained[-1]
    return now - explained[-STILL] < 1e-3 * now or now > 0.99


def _excess(net: Standardised, out: Flags, limits: Floats) -> Floats:
    """By how much the deviance of all exceeds that of the training patients, by penalty."""
    training = net.sample.rows(~out)
    part = standardised(training, net.mixing, standardise=net.standardise)
    found = []
    for fitted in fits(part, limits):
        whole = deviance(net, fitted.coefficients / part.scale * net.scale)
        found.append(whole - scaled_deviance(part, fitted.value))
    return np.array(found)


def _events_of(sample: CoxSample, fold: Integers) -> Floats:
    count = int(fold.max()) + 1
    if count < FEWEST_FOLDS:
        raise ValueError(f"found {count} folds; expected at least {FEWEST_FOLDS}.")
    found: Floats = np.bincount(fold, sample.weights * sample.events).astype(np.float64)
    if (found == 0).any():
        raise ValueError(
            f"found no event in {int((found == 0).sum())} of {count} folds; expected events in "
            "every fold. Stratify the folds by event."
        )
    return found
