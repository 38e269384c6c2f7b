"""demo@study: a cohort that never lived, so that everything runs where no patient's data may be."""

from __future__ import annotations

from oncotrail import stage
from oncotrail.demo import cohort
from oncotrail.record import Run
from oncotrail.study.base import Settings as Base
from oncotrail.study.source import DemoCohort


class Limits(Base):
    """How many patients to invent; null: as many as the study declares."""

    patients: int | None


class Settings(Base):
    """What this stage reads."""

    seed: int
    limits: Limits
    demo_cohort: DemoCohort


def main(settings: Settings, run: Run) -> None:
    asked = settings.demo_cohort
    patients = settings.limits.patients or asked.patients
    cohort.write(
        run.out, seed=settings.seed, patients=patients, kind=asked.kind, effects=asked.effects
    )
    run.params({"patients": patients, "kind": asked.kind, "effects": asked.effects})
    run.artifact(run.out / "cohort" / "invented.json")
    run.say(f"{patients} invented patients, {2 * patients} CT slices, effects {asked.effects}")


if __name__ == "__main__":
    stage.run(main)
