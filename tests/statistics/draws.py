"""Resamples that R drew and exported."""

from __future__ import annotations

from typing import Any

import numpy as np

from oncotrail.statistics.uncertainty.resampling import Resamples, given_resamples
from tests.statistics.oracles import reference


def bootstraps() -> list[tuple[dict[str, Any], dict[str, Any], Resamples]]:
    """What R said, its table, and its draws: of rows by themselves, then of whole patients."""
    said = reference("discrimination")
    found = []
    for drawn in said["bootstrap"]:
        table = said["discrimination"][drawn["table"]]["table"]
        n = len(table["labels"])
        counts = [np.bincount(rows, minlength=n) for rows in drawn["rows"]]
        found.append((drawn, table, given_resamples(range(n), counts)))
    for drawn in said["bootstrap_patients"]:
        table = said["clustered"][drawn["table"]]["table"]
        found.append((drawn, table, given_resamples(table["patient"], drawn["drawn"])))
    return found
