"""What a served model is: one folder with everything that it needs, and nothing about patients.

    serving.json                     this manifest, with the sha256 of each file below
    networks/<network>/network.json, weights.safetensors
    learner/model.json, learner.skops          only for a fusion

The digest of serving.json is the model's digest: the same digest is the same model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from oncotrail.errors import ModelFault
from oncotrail.record import sha256_of
from oncotrail.study.cohort import Column

MANIFEST = "serving.json"
NETWORKS = "networks"
LEARNER = "learner"
NETWORK_FILES = ("network.json", "weights.safetensors")
# Beside them where a network is used off the shelf, or weighs a patient's images.
FURTHER_FILES = ("estimator.skops", "attention.safetensors")
LEARNER_FILES = ("model.json", "learner.skops")
Kind = Literal["network", "fusion"]

_COLUMNS = TypeAdapter(dict[str, Column])


@dataclass(frozen=True)
class Manifest:
    """A model's name, what it asks for and what it answers."""

    study: str
    model: str
    kind: Kind
    outcome: str
    networks: dict[str, str]  # network -> the view that it reads
    clinical: dict[str, Column]  # the clinical columns that it reads
    files: dict[str, str]  # path below the folder -> sha256

    @property
    def views(self) -> tuple[str, ...]:
        """The views of which each patient needs an image."""
        return tuple(sorted(set(self.networks.values())))

    @property
    def images(self) -> tuple[str, ...]:
        """The columns of a table of patients that say where images and their regions are."""
        return tuple(column for view in self.views for column in columns_of(view))

    def write(self, folder: Path) -> None:
        """Write serving.json."""
        values = asdict(self) | {"clinical": _COLUMNS.dump_python(self.clinical, mode="json")}
        text = json.dumps(values, indent=1, sort_keys=True) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read serving.json and check every file that it lists before anything is loaded."""
        path = folder / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            manifest = cls(**{**values, "clinical": _COLUMNS.validate_python(values["clinical"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            message = f"{path} does not describe a model ({error}); run the register stage again."
            raise ModelFault(message) from None
        _check(folder, manifest.files)
        return manifest


def columns_of(view: str) -> tuple[str, str, str]:
    """What a table of patients calls a view's image, and the box or the mask of its region.

    >>> columns_of("t4")
    ('t4', 't4_box', 't4_mask')
    """
    return view, f"{view}_box", f"{view}_mask"


def digest_of(folder: Path) -> str:
    """The model's digest."""
    return sha256_of(folder / MANIFEST)


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def _check(folder: Path, files: Mapping[str, str]) -> None:
    for place, expected in files.items():
        path = folder / place
        found = sha256_of(path) if path.is_file() else "no file"
        if found != expected:
            message = (
                f"{path}: {MANIFEST} names sha256 {expected}, found {found}; this is not the model "
                "that was registered. Download it again, or run the register stage."
            )
            raise ModelFault(message)
