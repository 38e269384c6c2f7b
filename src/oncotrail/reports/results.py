"""All that evaluate found, worded: the headline, the tables, the publication, the curves."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from oncotrail.reports import comparisons, performance, publication
from oncotrail.reports.cells import Grid
from oncotrail.reports.drawings import Forest
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.models import (
    PATIENTS,
    Model,
    models_of,
    plainest_and_richest,
    short,
    strictest,
)
from oncotrail.study.fusion import Fusion
from oncotrail.study.question import Published


@dataclass(frozen=True)
class Results:
    """What the models are worth."""

    headline: tuple[str, ...]
    headline_source: str
    forest: Forest | None
    reading: tuple[str, ...]
    performance: tuple[Grid, ...]
    compared: Grid | None
    thresholds: Grid
    publication: publication.Publication
    roc: str  # a data URI
    roc_title: str
    source: str


@dataclass(frozen=True)
class Terms:
    """What the results are about: the outcome in words, the confidence, whether patients lived."""

    means: str
    confidence: float
    invented: bool


def results(
    study: str, evidence: Evidence, fusion: Fusion, published: Published | None, terms: Terms
) -> Results:
    """Word what evaluate found of the study's models, on the strictest patients that there are."""
    models = models_of(study, evidence.table, fusion, evidence.networks)
    role, source = strictest(models), evidence.source("evaluate")
    best = next(model for model in models if model.name == evidence.catalogue.challenger)
    order = [model.name for model in models]
    found = comparisons.differences(study, evidence.comparisons, role, order)
    chosen = {short(study, name): values for name, values in evidence.thresholds.items()}
    said = performance.headline(best, role, terms.means, terms.confidence)
    return Results(
        headline=(said, *_answer(models, best, found, terms.confidence)),
        headline_source=evidence.source("evaluate", "register"),
        forest=performance.overview(models, role, best.name),
        reading=_reading(terms.confidence),
        performance=performance.performance(models, best.name, terms.means, source),
        compared=comparisons.compared(found, role, source),
        thresholds=performance.thresholds(models, chosen, source),
        publication=publication.beside(
            published, models, role, invented=terms.invented, source=source
        ),
        roc=f"data:image/svg+xml;base64,{base64.b64encode(evidence.roc).decode()}",
        roc_title=f"ROC curves of the fusion models on {PATIENTS['test']}",
        source=source,
    )


def _answer(
    models: tuple[Model, ...],
    best: Model,
    found: tuple[comparisons.Difference, ...],
    confidence: float,
) -> tuple[str, ...]:
    """What the pictures add to the clinical record, where the study compares that."""
    pair = plainest_and_richest(models)
    if pair is None:
        return ()
    plainest, richest = pair
    richer = best if best.clinical and best.networks else richest
    return (comparisons.answer(richer, plainest, found, confidence),)


def _reading(confidence: float) -> tuple[str, ...]:
    means = (
        "AUC is the chance that a patient with the outcome scores higher than one without; 0.5 is "
        "a coin. PPV and NPV are the shares of positive and negative calls that are right."
    )
    intervals = (
        f"Intervals are {100 * confidence:g} %: DeLong's on the logit scale for the AUC, Wilson's "
        "for the others. Differences in AUC have DeLong's paired interval, and a p adjusted for "
        "all comparisons by Holm's method. n counts the patients in a figure's denominator."
    )
    chosen = (
        "Models learned from training patients. The epoch, the threshold and the best model were "
        "chosen on validation patients, so figures on these flatter; test patients only judge. "
        "The best model is shaded."
    )
    return means, intervals, chosen
