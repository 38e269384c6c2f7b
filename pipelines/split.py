"""Patients -> roles and folds."""

import json

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.cohort.split import split_patients
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.split import SplitPlan


class Settings(base.Settings):
    """The sections that this stage reads."""

    seed: int
    cohort: Cohort
    split: SplitPlan


def main(settings: Settings, run: Run) -> None:
    plan = settings.split
    cohort = tables.read(settings.cohort.table(), run.folder("acquire") / "cohort.parquet")
    split = split_patients(cohort, **plan.model_dump(), seed=settings.seed)
    tables.write(tables.SPLIT, split.frame, run.out / "split.parquet")
    summary = {"digest": split.digest, "patients": split.counts()}
    (run.out / "split.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    asked = plan.model_dump(exclude={"external_sites"}, exclude_none=True)
    run.params({**asked, "split_digest": split.digest})
    run.params({"external_sites": ", ".join(plan.external_sites)})
    run.metrics({f"patients/{role}": count for role, count in split.counts().items()})
    run.artifact(run.out / "split.parquet")
    run.say(split.summary())


if __name__ == "__main__":
    stage.run(main)
