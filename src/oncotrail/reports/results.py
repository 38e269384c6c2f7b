"""All that evaluate found, worded: the headline, the tables, the publication, the curves."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from oncotrail.reports import comparisons, performance, publication, repeats
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

# What each drawing of the fusion models on the test patients shows.
DRAWN = {
    "roc": "ROC curves",
    "calibration": "What happened against what was predicted, with bands; below, how many patients "
    "were predicted what, those with the outcome upwards: calibration",
    "decision": "Net benefit of treating whom the model puts above a risk: decision curves",
}


@dataclass(frozen=True)
class Drawing:
    """A picture as a data URI, and what it shows."""

    uri: str
    title: str


@dataclass(frozen=True)
class Results:
    """What the models are worth."""

    headline: tuple[str, ...]
    headline_source: str
    forest: Forest | None
    reading: tuple[str, ...]
    performance: tuple[Grid, ...]
    probabilities: tuple[Grid, ...]
    compared: Grid | None
    thresholds: Grid
    repeats: repeats.Repeats
    publication: publication.Publication
    drawings: tuple[Drawing, ...]
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
        probabilities=performance.probabilities(models, best.name, terms.means, source),
        compared=comparisons.compared(found, role, source),
        thresholds=performance.thresholds(models, chosen, source),
        repeats=repeats.repeats(
            models, repeats.differences_over_folds(study, evidence.comparisons, order), source
        ),
        publication=publication.beside(
            published, models, role, invented=terms.invented, source=source
        ),
        drawings=tuple(_drawing(evidence, name, title) for name, title in DRAWN.items()),
        source=source,
    )


def _drawing(evidence: Evidence, name: str, title: str) -> Drawing:
    encoded = base64.b64encode(evidence.drawings[name]).decode()
    shown = f"{title} of the fusion models on {PATIENTS['test']}"
    return Drawing(f"data:image/svg+xml;base64,{encoded}", shown)


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
        "for shares, Boyd's for the average precision, exact or normal ones for calibration and "
        "the Brier score. Differences in AUC have DeLong's paired interval, and a p adjusted for "
        "all comparisons by Holm's method. n counts the patients in a figure's denominator."
    )
    probable = (
        "Observed / expected (best 1), calibration in the large (0) and slope (1) say whether "
        "scores can be read as probabilities: on average, and in their spread. A slope below 1 is "
        "too sure of itself. The Brier score is best low; scaled, 0 is no better than the "
        "prevalence and 1 perfect."
    )
    chosen = (
        "Models learned from training patients. The epoch, the threshold and the best model were "
        "chosen on validation patients, so figures on these flatter; test patients only judge. "
        "The best model is shaded."
    )
    return means, intervals, probable, chosen
