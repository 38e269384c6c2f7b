"""The randomness of a cohort: one row of named standard normal draws per patient.

Patient i depends on the seed and i alone, so a small cohort is the beginning of a large one. The
same functions make patient i and, many rows at once, a population to compute with.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from oncotrail.record import generator

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

NAMES: Final = (
    *("hospital", "age", "young", "bmi", "height", "sarcopenia", "visceral_obesity"),
    *("muscle", "visceral"),
    *("measured_muscle", "measured_visceral"),
    *("subtype", "er", "pr", "her2", "n_stage", "ki67", "tumour_size", "lvi", "cea"),
    *("multifocal", "histology", "menopause", "endocrine", "radiotherapy", "chemotherapy"),
    *("liability", "follow_up", "after_metastasis", "other_death"),
    *("lost_tumour_size", "lost_ki67", "lost_lvi", "lost_cea", "lost_multifocal"),
    *("lost_histology", "lost_radiotherapy", "lost_muscle", "lost_visceral"),
)


class Draws:
    """Standard normal draws by name: arrays over patients."""

    def __init__(self, normals: Floats) -> None:
        self._normals = normals

    def __getitem__(self, name: str) -> Floats:
        column: Floats = self._normals[:, NAMES.index(name)]
        return column

    def uniform(self, name: str) -> Floats:
        """The draw as a number between 0 and 1."""
        share: Floats = ndtr(self[name])
        return share

    def chance(self, name: str, probability: float | Floats) -> Codes:
        """1 with this probability, else 0."""
        return (self.uniform(name) < probability).astype(np.int64)

    def one_of(self, name: str, shares: tuple[float, ...]) -> Codes:
        """0, 1, 2 ... with these shares."""
        return np.searchsorted(np.cumsum(shares)[:-1], self.uniform(name)).astype(np.int64)


def of_cohort(seed: int, patients: range) -> Draws:
    """The draws of these patients of the cohort with this seed."""
    rows = [
        generator(seed, "demo", "patient", str(i)).standard_normal(len(NAMES)) for i in patients
    ]
    return Draws(np.array(rows).reshape(-1, len(NAMES)))


def of_population(seed: int, patients: int) -> Draws:
    """The draws of other patients of the same kind, many at once."""
    rng = generator(seed, "demo", "population")
    return Draws(rng.standard_normal((patients, len(NAMES))))
