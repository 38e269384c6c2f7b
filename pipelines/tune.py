"""Tune: choose the settings that train reads; with no trials, the declared ones pass through."""

from __future__ import annotations

import json

from oncotrail import stage
from oncotrail.errors import UserFault
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.network import Network


class Limits(base.Settings):
    """Caps on the search; null is no cap."""

    trials: int | None


class Settings(base.Settings):
    """What tune reads."""

    limits: Limits
    network: Network


def main(settings: Settings, run: Run) -> None:
    declared, limit = settings.network.search.trials, settings.limits.trials
    trials = declared if limit is None else min(declared, limit)
    if trials > 0:
        message = (
            f"{trials} trials are asked for, and the search is not part of this version; "
            f"set network.{run.key}.search.trials to 0."
        )
        raise UserFault(message)
    chosen = settings.network.model_dump(mode="json")
    text = json.dumps(chosen, indent=1, sort_keys=True) + "\n"
    (run.out / "settings.json").write_text(text, encoding="utf-8")
    run.params({**settings.network.flat(), "trials": trials})
    run.say("no trials: the declared settings pass through")


if __name__ == "__main__":
    stage.run(main)
