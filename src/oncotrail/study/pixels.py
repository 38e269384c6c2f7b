"""Section `decode`: from a scan on disk to the pixels that a network sees."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from oncotrail.study.base import Settings


class Window(Settings):
    """Values that map to black and white: Hounsfield units in CT, grey levels elsewhere."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            message = f"window low {self.low} must be below high {self.high}"
            raise ValueError(message)
        return self


class Percentiles(Settings):
    """Black and white by the image's own values, in per cent: for MR, whose units mean nothing.

    Each image has its own ends, so that a value of one is not a value of another.
    """

    percentiles: tuple[float, float]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.percentiles
        if not 0 <= low < high <= 100:  # noqa: PLR2004
            message = f"percentiles {low}, {high} must be two rising numbers from 0 to 100"
            raise ValueError(message)
        return self


NamedWindow = Literal["bone", "lung", "soft_tissue"]
HOUNSFIELD: dict[NamedWindow, Window] = {
    "bone": Window(low=-500, high=1300),  # level 400, width 1800
    "lung": Window(low=-1350, high=150),  # level -600, width 1500
    "soft_tissue": Window(low=-160, high=240),  # level 40, width 400
}


class Region(Settings):
    """Cut to the image's box or mask, as images.csv names it.

    The margin is added on each side and ends at the picture's edge. `square` makes the shorter side
    as long as the other, moved inwards at an edge, and black where the picture is too narrow.
    """

    margin: str = Field(default="0 px", pattern=r"^\d+(\.\d+)? (px|mm)$")
    square: bool = False

    @property
    def amount(self) -> float:
        """How wide the margin is."""
        return float(self.margin.split()[0])

    @property
    def in_millimetres(self) -> bool:
        """Whether the margin is millimetres, and not pixels of the image as acquired."""
        return self.margin.endswith("mm")


class Resample(Settings):
    """Make each pixel this wide and high, in millimetres."""

    spacing: float = Field(gt=0)


class Slices(Settings):
    """Which slices of a volume become pictures.

    `middle`: the one in the middle and its neighbours; `largest`: those on which the mask covers
    most; `evenly`: spread over the volume, or over what the mask covers of it.
    """

    choose: Literal["middle", "largest", "evenly"]
    count: int = Field(default=1, ge=1)


class ViewPixels(Settings):
    """One view: a window, and the size in pixels (rows x columns) that a network reads.

    A window is {low, high}, a name (`HOUNSFIELD`), {percentiles: [1, 99]}, `voi` (as each file
    asks to be shown) or null (the full range of the file's grey levels). `keep_aspect: pad` keeps a
    picture's shape and fills up with black. With `resample` the picture keeps its scale: what is
    larger than rows x columns is cut, what is smaller lies in black.
    """

    window: Window | Percentiles | NamedWindow | Literal["voi"] | None
    rows: int = Field(ge=16)
    columns: int = Field(ge=16)
    region: Region | None = None
    resample: Resample | None = None
    keep_aspect: Literal["stretch", "pad"] = "stretch"
    slices: Slices | None = None
    colour: Literal["grey", "rgb"] = "grey"

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.resample is not None and self.keep_aspect != "stretch":
            message = "resample keeps the scale and with it the shape; leave keep_aspect out"
            raise ValueError(message)
        return self

    @property
    def count(self) -> int:
        """How many pictures an image gives."""
        return 1 if self.slices is None else self.slices.count

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture: rows x columns, and x 3 in colour."""
        return (self.rows, self.columns) + ((3,) if self.colour == "rgb" else ())

    def asked(self) -> dict[str, object]:
        """What is asked for, without what is left as it is by default."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Decode(Settings):
    """How each view is decoded."""

    views: dict[str, ViewPixels] = Field(min_length=1)
