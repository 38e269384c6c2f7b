"""params.yaml: what all studies share.

A stage declares only the limits that it uses (see `load`); here is the whole file, for validation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings
from oncotrail.study.computing import Compute


class Limits(Settings):
    """Caps on the published settings; null is no cap. Every key is there, because DVC wants it.

    `patients` is the size of a demo cohort, larger than the published one if asked; it drops nobody
    from a real cohort.
    """

    patients: int | None = Field(ge=20)
    epochs: int | None = Field(ge=1)
    image_side: int | None = Field(ge=16)
    trials: int | None = Field(ge=0)


class Tolerance(Settings):
    """How far a figure may be from the one in git, by the figure's name; `otherwise` for the rest.

    A figure's limits are judged by its name too: `auc` covers auc.value, auc.low and auc.high.
    """

    otherwise: float = Field(ge=0)
    figures: dict[str, float]

    def of(self, steps: tuple[str, ...]) -> float:
        """The tolerance for the figure at this place: the innermost name that is declared.

        >>> Tolerance(otherwise=0, figures={"auc": 0.02}).of(("clinical", "test", "auc", "low"))
        0.02
        """
        named = (self.figures[step] for step in reversed(steps) if step in self.figures)
        return next(named, self.otherwise)


class Params(Settings):
    """All of params.yaml."""

    seed: int = Field(ge=0)
    recipe: Literal["demo", "published"]
    limits: Limits
    compute: Compute
    tolerance: Tolerance
