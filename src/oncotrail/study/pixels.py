"""Section `decode`: from a scan on disk to the pixels that a network sees."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from oncotrail.study.base import Settings


class Window(Settings):
    """Hounsfield units that map to black and white."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            message = f"window low {self.low} must be below high {self.high}"
            raise ValueError(message)
        return self


class ViewPixels(Settings):
    """One view: a window, and the size in pixels (rows x columns) to which it is resized."""

    window: Window | None
    rows: int = Field(ge=16)
    columns: int = Field(ge=16)


class Decode(Settings):
    """How each view is decoded."""

    views: dict[str, ViewPixels] = Field(min_length=1)
