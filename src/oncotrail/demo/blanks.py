"""Which values are blank in the table: some at random, some more often at one hospital.

A blank depends on the hospital alone, never on the value or the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.demo.draws import Draws
from oncotrail.demo.people import Body

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Blanks:
    """Arrays over patients: True where the table has no value. All other columns are complete."""

    tumour_size: Flags
    ki67: Flags
    lvi: Flags
    cea: Flags
    multifocal: Flags
    histology: Flags
    radiotherapy: Flags
    muscle: Flags  # both pma_t4 and pmi_t4
    visceral: Flags


def blanks(draws: Draws, body: Body) -> Blanks:
    """Who lacks which value."""

    def lost(column: str, north: float, south: float) -> Flags:
        share = np.where(body.hospital == 0, north, south)
        return draws.uniform(f"lost_{column}") < share

    return Blanks(
        tumour_size=lost("tumour_size", 0.03, 0.03),
        ki67=lost("ki67", 0.05, 0.08),
        lvi=lost("lvi", 0.06, 0.06),
        cea=lost("cea", 0.06, 0.22),  # the second hospital measures it only on suspicion
        multifocal=lost("multifocal", 0.02, 0.05),
        histology=lost("histology", 0.01, 0.01),
        radiotherapy=lost("radiotherapy", 0.03, 0.03),
        muscle=lost("muscle", 0.04, 0.04),
        visceral=lost("visceral", 0.03, 0.10),
    )
