"""The study report: evidence -> one value with all that the page says -> one HTML file.

Everything that is computed or worded is in `Page`; the template only lays it out. The same evidence
gives the same bytes: no date, no path of a machine, no random element id.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from oncotrail.reports import guards, patients, performance, provenance, settings_used, training
from oncotrail.reports.cells import Grid, words
from oncotrail.reports.drawings import Forest
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.models import PATIENTS, Model, models_of, short, strictest
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode
from oncotrail.study.question import Question

TEMPLATE = "study_report.html.jinja"


@dataclass(frozen=True)
class Asked:
    """The study file's sections that the report prints."""

    study: Question
    cohort: Cohort
    decode: Decode
    network: Mapping[str, Network]
    fusion: Fusion
    evaluation: Evaluation
    invented: bool  # the patients never lived
    recipe: str


@dataclass(frozen=True)
class Page:
    """What the report says, section by section."""

    title: str
    warnings: tuple[str, ...]
    headline: tuple[str, ...]
    headline_source: str
    asked: tuple[tuple[str, str], ...]
    flow: patients.Flow
    baseline: patients.Baseline
    reading: tuple[str, ...]
    best: str
    performance: tuple[Grid, ...]
    compared: Grid
    thresholds: Grid
    publication: performance.Publication
    forest: Forest | None
    roc: str  # a data URI
    roc_title: str
    curves_source: str
    training: tuple[training.NetworkTraining, ...]
    audit: guards.Said
    settings: settings_used.SettingsUsed
    registered: guards.Said
    provenance: tuple[Grid, ...]


def study_report(name: str, asked: Asked, evidence: Evidence) -> str:
    """The whole report as HTML; `name` is the study's."""
    return render(page_of(name, asked, evidence))


def render(page: Page) -> str:
    """Lay a page out; every text is escaped."""
    environment = Environment(
        loader=PackageLoader("oncotrail.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(page=page)


def page_of(name: str, asked: Asked, evidence: Evidence) -> Page:
    """Word everything."""
    means = asked.cohort.labels()[asked.evaluation.outcome].means
    models = models_of(name, evidence.table, asked.fusion, asked.network)
    role = strictest(models)
    best = next(model for model in models if model.name == evidence.catalogue.challenger)
    found = performance.differences(name, evidence.comparisons, role)
    judged = evidence.source("evaluate")
    return Page(
        title=asked.study.title,
        warnings=_warnings(asked),
        headline=_headline(best, models, found, role, means, asked.evaluation.confidence),
        headline_source=evidence.source("evaluate", "register"),
        asked=_asked(name, asked),
        flow=patients.flow(
            evidence.flow,
            evidence.cohort,
            evidence.split,
            label=asked.evaluation.outcome,
            means=means,
            source=evidence.source("acquire", "split"),
        ),
        baseline=patients.baseline(evidence.baseline, judged),
        reading=_reading(asked.evaluation.confidence),
        best=best.title,
        performance=performance.performance(models, means, judged),
        compared=performance.compared(found, role, judged),
        thresholds=performance.thresholds(
            models, {short(name, n): chosen for n, chosen in evidence.thresholds.items()}, judged
        ),
        publication=performance.beside(
            asked.study.published, models, role, invented=asked.invented, source=judged
        ),
        forest=performance.overview(models, role, best.name),
        roc=f"data:image/svg+xml;base64,{base64.b64encode(evidence.roc).decode()}",
        roc_title=f"ROC curves of the fusion models on {PATIENTS['test']}",
        curves_source=judged,
        training=tuple(
            training.training(words(short(name, n)), asked.network[n], one.record, one.history)
            for n, one in evidence.networks.items()
        ),
        audit=guards.audited(evidence.checks, evidence.records["audit"]),
        settings=_settings(name, asked, evidence),
        registered=guards.registered(evidence.catalogue, evidence.records["register"]),
        provenance=provenance.provenance(evidence.runs(), evidence.split_digest),
    )


def _warnings(asked: Asked) -> tuple[str, ...]:
    found = []
    if asked.invented:
        found.append(
            "These patients never lived: this is a demonstration cohort with planted effects. No "
            "figure on this page says anything about people."
        )
    if asked.recipe != "published":
        found.append(
            f"Recipe {asked.recipe}: some published settings are bent, see Settings below."
        )
    return tuple(found)


def _headline(
    best: Model,
    models: tuple[Model, ...],
    found: tuple[performance.Difference, ...],
    role: str,
    means: str,
    confidence: float,
) -> tuple[str, ...]:
    plainest = next((m.name for m in models if m.reads == "clinical record"), best.name)
    said = performance.headline(best, role, means, confidence)
    more = performance.answer(best.name, plainest, found, confidence)
    return (said,) if more is None else (said, more)


def _asked(name: str, asked: Asked) -> tuple[tuple[str, str], ...]:
    outcome = asked.cohort.labels()[asked.evaluation.outcome]
    views = "; ".join(
        f"{words(view)}: {said.modality}, {said.means}" for view, said in asked.cohort.views.items()
    )
    published = asked.study.published
    return (
        ("Question", asked.study.question),
        ("Methods", asked.study.methods),
        ("Outcome", outcome.means),
        ("Pictures", views),
        ("Clinical record", f"{len(asked.cohort.clinical)} columns"),
        ("Published as", published.reference if published else "not published"),
        ("Study", name),
    )


def _reading(confidence: float) -> tuple[str, ...]:
    return (
        f"Intervals are {100 * confidence:g} %: of DeLong, on the logit scale, for the AUC; of "
        "Wilson for the others. n is the number of patients in a figure's denominator.",
        "AUC is the chance that a patient with the outcome scores higher than one without; 0.5 is a "
        "coin. PPV and NPV are the shares of positive and negative calls that are right.",
        "Models learned from training patients. The epoch, the threshold and the best model were "
        "chosen on validation patients, so figures on these flatter; test patients only judge.",
    )


def _settings(name: str, asked: Asked, evidence: Evidence) -> settings_used.SettingsUsed:
    return settings_used.settings_used(
        name,
        asked.network,
        asked.decode,
        evidence.runs(),
        {network: one.record for network, one in evidence.networks.items()},
        {network: one.blueprint for network, one in evidence.networks.items()},
    )
