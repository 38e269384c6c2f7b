"""What each model left behind: every training of a network, every outer fold's fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oncotrail.cohort.folds import Part
from oncotrail.fusion.archive import Learner

Pixels = NDArray[np.uint8]  # pictures x rows x columns [x 3]
Numbers = NDArray[np.float64]


class Rerun(Protocol):
    """A saved network, run again."""

    def embeddings(self, pixels: Pixels, /) -> Numbers:
        """Of pictures: pictures x numbers."""

    def patients(self, embeddings: Numbers, patients: Sequence[str], /) -> dict[str, float]:
        """Of the embeddings of all pictures and whose they are: each patient's score."""


@dataclass(frozen=True)
class PartEvidence:
    """What one training of a network left behind; see `cohort.folds`."""

    part: Part
    folder: Path
    blueprint: Mapping[str, Any]
    fold: pd.DataFrame  # its outer fold of the split
    patients: frozenset[str]  # those of them whom it scores
    seed: int  # as its rows name it

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a network's features or predictions that this part made."""
        own = (table["outer_fold"] == self.part.outer_fold) & (table["seed"] == self.seed)
        return table[own & table["patient"].isin(self.patients)]


@dataclass(frozen=True)
class NetworkEvidence:
    """What one network left behind: the tables of all parts of its training."""

    name: str
    main: Part
    out_of_fold: bool
    parts: tuple[PartEvidence, ...]
    features: pd.DataFrame
    predictions: pd.DataFrame
    fitted_on: pd.DataFrame

    @property
    def view(self) -> str:
        """The view that it sees."""
        return str(self.parts[0].blueprint["view"])

    def called(self, part: Part) -> str:
        """The part in a sentence: the network itself, for the one that is served."""
        return self.name if part == self.main else f"{self.name}/{part.name}"

    def records(self, of: PartEvidence) -> pd.DataFrame:
        """Whom one part was fitted on: its own object, and what hangs below that one."""
        trainings = [each.part.object(self.name) for each in self.parts]
        objects = self.fitted_on["object"]
        belongs_to = objects.where(objects.isin(trainings), objects.str.rpartition("/")[0])
        own = belongs_to == of.part.object(self.name)
        return self.fitted_on[own & (self.fitted_on["outer_fold"] == of.part.outer_fold)]


@dataclass(frozen=True)
class FusionEvidence:
    """What one fusion left behind: the learner, and the columns as it says it saw them."""

    learner: Learner
    seen: pd.DataFrame
    outer_fold: int
    last: bool  # whether this is the outer fold whose learner is served

    @property
    def called(self) -> str:
        """Its name in a sentence."""
        own = self.learner.model
        return own if self.last else f"{own}/fold{self.outer_fold}"

    def records(self, fitted_on: pd.DataFrame) -> pd.DataFrame:
        """Whom its parts were fitted on."""
        own = fitted_on["object"].str.startswith(f"{self.learner.model}/")
        return fitted_on[own & (fitted_on["outer_fold"] == self.outer_fold)]
