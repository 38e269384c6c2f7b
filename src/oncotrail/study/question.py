"""Section `study`: what was asked, and what the publication said."""

from __future__ import annotations

from pydantic import Field

from oncotrail.study.base import Settings


class Published(Settings):
    """Figures that a publication reports, for the table beside ours."""

    reference: str
    patients: int = Field(ge=1)
    figures: dict[str, dict[str, float]]  # model -> metric -> value in [0, 1]


class Question(Settings):
    """What was asked, in words."""

    title: str
    question: str
    methods: str
    published: Published | None = None
