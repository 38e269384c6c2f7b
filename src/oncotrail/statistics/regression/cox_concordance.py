"""How well a Cox model ranks the patients that it was fitted on.

Harrell's C of the linear predictor, within strata, over the clusters of the fit: what R's summary
of a coxph prints. It is apparent, so too good: a new sample will do worse, by `cox_validation`'s
optimism.
"""

from __future__ import annotations

from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.survival.concordance import Concordance, concordance


def fitted_concordance(fit: CoxFit, confidence: float = 0.95) -> Concordance:
    """C of the fit's own patients, 0.5 by chance, 1 a perfect ranking; with standard error.

    R's concordance(fit). With late entry, pairs are of patients who were observed together.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [2.0, 1, 4, 3, 5, 2])
    >>> round(fitted_concordance(fit).value, 3)
    0.875
    """
    sample = fit.sample
    return concordance(
        sample.times,
        sample.events,
        fit.risk(sample.covariates, sample.offset),
        weights=sample.weights,
        strata=sample.strata,
        entry=sample.entry,
        clusters=sample.clusters,
        confidence=confidence,
    )
