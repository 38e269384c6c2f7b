"""A raw cohort -> checked, de-identified tables and images, or a stop that says how many faults."""

from pathlib import Path

from oncotrail import stage
from oncotrail.acquire import keep
from oncotrail.acquire.check import survey
from oncotrail.acquire.findings import Findings
from oncotrail.acquire.pseudonyms import key_of
from oncotrail.errors import DataFault
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.source import Acquire


class Settings(base.Settings):
    """What this stage reads of the study file."""

    acquire: Acquire
    cohort: Cohort


def main(settings: Settings, run: Run) -> None:
    asked = settings.acquire
    key = key_of(run.study, asked.pseudonyms)
    if key.new:
        run.say(f"made the secret key of this study's pseudonyms, {key.path}: back it up")
    with keep.Keeper(run.out) as keeper:
        found = survey(Path(asked.path), asked, settings.cohort, key, keeper)
    _stop_at_problems(found.findings, run.study)
    keep.write_tables(found, settings.cohort, run.out)
    run.params({"key_fingerprint": key.fingerprint(), **keep.asked(asked, found.findings)})
    run.metrics(keep.counts(found))
    run.artifact(run.out / "flow.json")
    run.say(keep.sentence(found))


def _stop_at_problems(findings: Findings, study: str) -> None:
    """Only how many: what a problem quotes belongs on its user's terminal and in no log."""
    if findings.stopping:
        count = len(findings.stopping)
        problems = "1 problem" if count == 1 else f"{count} problems"
        raise DataFault(
            f"{problems} in the raw cohort; run oncotrail check {study} to see file, row and mend."
        )


if __name__ == "__main__":
    stage.run(main)
