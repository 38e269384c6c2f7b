"""Who a search sees: patients to learn from, and patients to judge by. There is no third kind."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from oncotrail.errors import TrainingFault

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rows:
    """Images of the pixel store by their rows, with each one's label and patient."""

    rows: tuple[int, ...]
    labels: tuple[int, ...]
    patients: tuple[str, ...]

    @classmethod
    def of(cls, images: pd.DataFrame) -> Rows:
        """Columns row, label and patient of a table of images."""
        return cls(
            tuple(int(row) for row in images["row"]),
            tuple(int(label) for label in images["label"]),
            tuple(str(patient) for patient in images["patient"]),
        )


@dataclass(frozen=True)
class Patients:
    """All that trials are given of a cohort: a test patient has no place in it."""

    training: Rows
    validation: Rows

    def __post_init__(self) -> None:
        both = sorted(set(self.training.patients) & set(self.validation.patients))
        if both:
            message = (
                f"{len(both)} patients are both learned from and judged by, e.g. "
                f"{', '.join(both[:5])}; split by patient."
            )
            raise TrainingFault(message)

    @classmethod
    def of(cls, images: pd.DataFrame) -> Patients:
        """From a table of images with `role` and `fits`: whom the networks may learn from."""
        may_learn = (images["role"] == "train") & (images["fits"].fillna("") == "network")
        return cls(
            Rows.of(images[may_learn.astype(bool)]),
            Rows.of(images[(images["role"] == "validation").astype(bool)]),
        )

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Patients:
        """The inverse of `asdict` and JSON."""
        return cls(
            *(
                Rows(**{name: tuple(values) for name, values in said[role].items()})
                for role in ("training", "validation")
            )
        )

    def digest(self) -> str:
        """Changes with anybody's role, label or image."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:16]
