"""Sections `demo_cohort` and `acquire`: where the patients come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings


class DemoCohort(Settings):
    """A cohort that never lived, written in real formats with planted effects."""

    kind: Literal["breast_ct"]
    patients: int = Field(ge=20)
    effects: Literal["planted", "none"]


class Acquire(Settings):
    """A raw cohort's folder: clinical.csv and images/<view>/<patient>.<ending>.

    `pseudonyms: invented` derives the key from the study's name and is accepted only for a demo
    cohort, so that two machines agree; `pseudonyms: keyed` takes the key from a file outside git.
    `on_fault: stop` refuses the cohort while any patient has a fault; `exclude` keeps such patients
    out, each with a row in the exclusions. `units_checked` names columns whose values only look as
    if they mixed two units.
    """

    path: str
    pseudonyms: Literal["keyed", "invented"]
    on_fault: Literal["stop", "exclude"]
    encoding: str | None = None
    burned_in: Literal["refuse", "checked_by_hand"] = "refuse"
    units_checked: tuple[str, ...] = ()
