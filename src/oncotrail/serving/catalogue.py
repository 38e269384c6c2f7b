"""models.json: the models of a study, how good each is by validation, and which one is the best.

Test patients have no say here: choosing by them would make their figures flatter the choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from oncotrail.errors import AuditFailed, ModelFault
from oncotrail.serving.manifest import Kind, Manifest, digest_of

CATALOGUE = "models.json"


@dataclass(frozen=True)
class Entry:
    """One model: its folder beside models.json has its name."""

    model: str
    kind: Kind
    digest: str  # of the model's manifest, and so of every file that it lists
    run: str  # key of the run that made it
    networks: tuple[str, ...]
    metrics: dict[str, float]  # by validation


@dataclass(frozen=True)
class Catalogue:
    """All models of a study."""

    study: str
    best_by: str
    challenger: str
    models: tuple[Entry, ...]

    @property
    def best(self) -> Entry:
        """The challenger's entry."""
        return next(entry for entry in self.models if entry.model == self.challenger)

    def sentence(self) -> str:
        """How many models there are and which is the best."""
        figure = self.best.metrics[self.best_by]
        best = f"the best by {self.best_by} is {self.challenger} ({figure:.3f})"
        return f"{len(self.models)} models; {best}"

    def write(self, folder: Path) -> None:
        """Write models.json."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        (folder / CATALOGUE).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        """Read models.json."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            entries = tuple(
                Entry(**{**entry, "networks": tuple(entry["networks"])})
                for entry in values["models"]
            )
            return cls(**{**values, "models": entries})
        except (OSError, ValueError, TypeError, KeyError) as error:
            message = f"{path} is no list of models ({error}); run the register stage again."
            raise ModelFault(message) from None


def must_have_passed(audit: Path) -> None:
    """A model of a study that has not passed its audit is not for anybody's use."""
    if not (audit / "audit.json").is_file():
        message = "the study has not passed its audit; run make repro, and mend what it names."
        raise AuditFailed(message)


def entry_of(folder: Path, manifest: Manifest, run: str, figures: Mapping[str, float]) -> Entry:
    """The entry of the model in `folder`; of its figures, those by validation."""
    return Entry(
        model=manifest.model,
        kind=manifest.kind,
        digest=digest_of(folder),
        run=run,
        networks=tuple(manifest.networks),
        metrics={name: value for name, value in figures.items() if name.startswith("validation_")},
    )


def catalogue_of(study: str, best_by: str, entries: Iterable[Entry]) -> Catalogue:
    """The models with the best of them: of equals the one that needs fewer networks."""
    models = tuple(entries)
    unjudged = [entry.model for entry in models if best_by not in entry.metrics]
    if unjudged or not models:
        message = (
            f"{study}: evaluate gave no {best_by} for {unjudged or 'any model'}, so the best "
            "cannot be chosen; both outcomes must occur among the validation patients."
        )
        raise ModelFault(message)
    best = min(models, key=lambda e: (-e.metrics[best_by], len(e.networks), e.model))
    return Catalogue(study, best_by, best.model, models)
