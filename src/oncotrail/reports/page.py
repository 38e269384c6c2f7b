"""The study report: evidence -> one value with all that the page says -> one HTML file.

Everything that is computed or worded is in `Page`; the template only lays it out. The same evidence
gives the same bytes: no date, no path of a machine, no random element id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from oncotrail.reports import guards, patients, provenance, settings_used, training
from oncotrail.reports.cells import Grid, words
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.models import short
from oncotrail.reports.results import Results, Terms, results
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode
from oncotrail.study.question import Question

TEMPLATE = "study_report.html.jinja"
INVENTED = (
    "These patients never lived: a program drew this demonstration cohort. No figure on this page "
    "says anything about people."
)


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
    asked: tuple[tuple[str, str], ...]
    flow: patients.Flow
    baseline: patients.Baseline
    results: Results
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
    outcome = asked.evaluation.outcome
    terms = Terms(asked.cohort.labels()[outcome].means, asked.evaluation.confidence, asked.invented)
    return Page(
        title=asked.study.title,
        warnings=_warnings(asked),
        asked=_asked(name, asked, terms),
        flow=patients.flow(
            evidence.flow,
            evidence.cohort,
            evidence.split,
            label=outcome,
            means=terms.means,
            source=evidence.source("acquire", "split"),
        ),
        baseline=patients.baseline(evidence.baseline, evidence.source("evaluate")),
        results=results(name, evidence, asked.fusion, asked.study.published, terms),
        training=_training(name, asked, evidence),
        audit=guards.audited(evidence.checks, evidence.records["audit"]),
        settings=_settings(name, asked, evidence),
        registered=guards.registered(evidence.catalogue, evidence.records["register"]),
        provenance=provenance.provenance(evidence.runs(), evidence.split_digest),
    )


def _warnings(asked: Asked) -> tuple[str, ...]:
    bent = f"Recipe {asked.recipe}: some published settings are bent, see Settings below."
    said = {INVENTED: asked.invented, bent: asked.recipe != "published"}
    return tuple(sentence for sentence, holds in said.items() if holds)


def _asked(name: str, asked: Asked, terms: Terms) -> tuple[tuple[str, str], ...]:
    views = (
        f"{words(view)}: {said.modality}, {said.means}" for view, said in asked.cohort.views.items()
    )
    published = asked.study.published
    return (
        ("Question", asked.study.question),
        ("Methods", asked.study.methods),
        ("Outcome", terms.means),
        ("Pictures", "; ".join(views)),
        ("Clinical record", f"{len(asked.cohort.clinical)} columns"),
        ("Published as", published.reference if published else "not published"),
        ("Study", name),
    )


def _training(name: str, asked: Asked, evidence: Evidence) -> tuple[training.NetworkTraining, ...]:
    return tuple(
        training.training(
            words(short(name, network)), asked.network[network], one.record, one.history
        )
        for network, one in evidence.networks.items()
    )


def _settings(name: str, asked: Asked, evidence: Evidence) -> settings_used.SettingsUsed:
    return settings_used.settings_used(
        name,
        asked.network,
        asked.decode,
        evidence.runs(),
        [one.blueprint for one in evidence.networks.values()],
    )
