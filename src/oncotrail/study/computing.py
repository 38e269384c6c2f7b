"""params.yaml, `compute`: how much of this machine a stage may use, and how networks compute."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.compute import Precision
from oncotrail.study.base import Settings


class Computing(Settings):
    """How one architecture computes here."""

    precision: Precision
    layout: Literal["channels_last", "contiguous"] = "channels_last"
    compile: bool = False


class Compute(Computing):
    """How much of this machine a stage may use, and how networks compute on it.

    `networks` holds what `oncotrail doctor --tune-device` measured, by architecture; one that is
    not there computes as `precision`, `layout` and `compile` say.
    """

    threads: int = Field(ge=1)
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    processes: int = Field(default=1, ge=1)
    networks: dict[str, Computing] = Field(default_factory=dict)

    def of(self, architecture: str) -> Computing:
        """How this architecture computes.

        >>> measured = {"resnet50": Computing(precision="bfloat16")}
        >>> compute = Compute(threads=2, precision="float32", networks=measured)
        >>> compute.of("resnet50").precision, compute.of("densenet121").precision
        ('bfloat16', 'float32')
        """
        return self.networks.get(architecture, self)
