"""What every contender of bench/training.py is told: the same images, network, batch and device."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

RATE, MOMENTUM, DECAY = 1e-3, 0.9, 2e-5  # of SGD with Nesterov's momentum, as timm's `sgd` is
CLASSES = 2
ZOOM, JITTER = 1.4, 0.4  # largest enlargement; brightness and contrast to either side
CONVOLUTIONAL = ("densenet", "resnet", "efficientnet")


@dataclass(frozen=True)
class Task:
    """One contender's work."""

    way: str  # which function of the module trains
    network: str
    folder: str  # with images/0 and images/1, as files, and pixels.npy, the same decoded
    side: int
    batch: int
    device: str
    threads: int
    workers: int  # of a peer's loader
    precision: str = "float32"
    layout: str = "channels_last"
    compile: bool = False

    @classmethod
    def read(cls, text: str) -> Task:
        """The inverse of `text`."""
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        """As a command line takes it."""
        return json.dumps(asdict(self))

    def by(self, way: str, **how: str | int | bool) -> Task:
        """The same work done in another way."""
        return replace(self, way=way, **how)  # type: ignore[arg-type]

    @property
    def files(self) -> Path:
        """Where the images are."""
        return Path(self.folder) / "images"

    @property
    def convolves(self) -> bool:
        """Whether channels_last is what the peers' documentation advises."""
        return self.network.startswith(CONVOLUTIONAL)
