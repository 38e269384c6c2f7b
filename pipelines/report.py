"""The study report: one HTML file for a clinician and a statistician."""

from oncotrail import stage
from oncotrail.record import Run
from oncotrail.reports.evidence import read_evidence
from oncotrail.reports.page import Asked, study_report
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode
from oncotrail.study.question import Question
from oncotrail.study.source import Acquire


class Settings(base.Settings):
    """The sections that the report prints."""

    study: Question
    acquire: Acquire
    cohort: Cohort
    decode: Decode
    network: dict[str, Network]
    fusion: Fusion
    evaluation: Evaluation


def main(settings: Settings, run: Run) -> None:
    evidence = read_evidence(run, settings.cohort, settings.network)
    asked = Asked(
        study=settings.study,
        cohort=settings.cohort,
        decode=settings.decode,
        network=settings.network,
        fusion=settings.fusion,
        evaluation=settings.evaluation,
        invented=settings.acquire.pseudonyms == "invented",
        recipe=evidence.records["evaluate"].recipe,
    )
    path = run.out / "report.html"
    path.write_text(study_report(run.study, asked, evidence), encoding="utf-8")
    run.params({"models": len(evidence.catalogue.models), "split_digest": evidence.split_digest})
    run.artifact(path)
    run.say(f"{path.name} with {len(evidence.catalogue.models)} models")


if __name__ == "__main__":
    stage.run(main)
