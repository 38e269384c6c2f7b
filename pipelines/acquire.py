"""A raw cohort -> checked, de-identified tables and images, or a stop that says how many faults."""

import json
from pathlib import Path

from oncotrail import stage
from oncotrail.acquire.check import Survey, survey
from oncotrail.acquire.keep import Keeper, cohort_frame, exclusions_frame, flow, images_frame
from oncotrail.acquire.pseudonyms import Key, invented_key, stored_key
from oncotrail.cohort import tables
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
    key = _key(settings.acquire, run)
    with Keeper(run.out) as keep:
        found = survey(Path(settings.acquire.path), settings.acquire, settings.cohort, key, keep)
    _stop_at_problems(found, run.study)
    cohort, out = settings.cohort.table(), run.out
    tables.write(cohort, cohort_frame(found), out / "cohort.parquet")
    tables.write(tables.IMAGES, images_frame(found), out / "images.parquet")
    tables.write(tables.EXCLUSIONS, exclusions_frame(found), out / "exclusions.parquet")
    patients = flow(found)
    text = json.dumps(patients, indent=1, ensure_ascii=False) + "\n"
    (out / "flow.json").write_text(text, encoding="utf-8")
    _record(found, key, settings.acquire, run)


def _key(acquire: Acquire, run: Run) -> Key:
    if acquire.pseudonyms == "invented":
        return invented_key(run.study)
    key = stored_key(run.study)
    if key.new:
        run.say(
            f"made the key of this study's pseudonyms, {key.path}: back it up and share it with "
            "colleagues over a safe channel, since another key makes other pseudonyms"
        )
    return key


def _stop_at_problems(found: Survey, study: str) -> None:
    """Only how many: what a problem quotes belongs on its user's terminal and in no log."""
    count = len(found.findings.stopping)
    if count:
        some = "1 problem" if count == 1 else f"{count} problems"
        message = (
            f"{some} in the raw cohort; run oncotrail check {study} to see file, row and mend."
        )
        raise DataFault(message)


def _record(found: Survey, key: Key, acquire: Acquire, run: Run) -> None:
    findings = found.findings
    run.params(
        {
            "pseudonyms": acquire.pseudonyms,
            "key_fingerprint": key.fingerprint(),
            "on_fault": acquire.on_fault,
            "burned_in": acquire.burned_in,
            **{f"{Path(file).stem}_read_as": how for file, how in findings.encodings.items()},
        }
    )
    counts = {
        "patients_found": findings.patients,
        "patients_excluded": findings.patients - findings.eligible,
        "patients_eligible": findings.eligible,
        "images": len(found.images),
    }
    run.metrics({name: float(count) for name, count in counts.items()})
    run.artifact(run.out / "flow.json")
    run.say(
        f"{findings.patients} patients found, {counts['patients_excluded']} excluded, "
        f"{findings.eligible} eligible; {len(found.images)} images de-identified"
    )


if __name__ == "__main__":
    stage.run(main)
