"""The search of one network's settings: the function behind the stage and nested cross-validation.

    found = search_network(task, where, listener)

`task` has the declared settings with their space, the budget, and the patients to learn from and
to judge by: in nested cross-validation those of one outer fold, which make its key another, and so
its folder. `tasks_of` gives the searches of all outer folds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part, outer_folds
from oncotrail.errors import StudyFileError
from oncotrail.record import Run, generator
from oncotrail.search import space
from oncotrail.search.lock import held
from oncotrail.search.machine import Machine
from oncotrail.search.outcome import Found
from oncotrail.search.patients import Patients
from oncotrail.search.storage import Place
from oncotrail.search.sweep import Listener, Plan, sweep
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network, OffTheShelf

FOLDER, FEATURES = "search", "features"  # below .oncotrail
# Code that reads what a search left: a change to a figure must not throw thirty trials away.
AFTERWARDS = ("pipelines/", "src/oncotrail/figures", "src/oncotrail/statistics")


@dataclass(frozen=True)
class Task:
    """What is searched, on whom, and how long."""

    network: Network  # the declared settings, their space among them
    model: str  # <study>-<network>
    patients: Patients
    pixels: Path  # the decode stage's output
    pretrained: Path  # the pretrain stage's output, if the network starts from one
    trials: int  # in all
    most_epochs: int | None  # cap on the declared epochs
    compute: Compute
    seed: int  # the repository's
    outer_fold: int = 0  # whose patients these are

    def key(self, dependencies: Mapping[str, str]) -> str:
        """Which search this is: other code, data, patients, space or settings are another.

        The number of trials is not in it, so that more of them go on from those that exist; nor is
        how often the winner is trained.
        """
        said = {
            "network": self.network.model_dump(
                mode="json",
                exclude={"search": {"trials", "retries"}, "seeds": True, "out_of_fold": True},
            ),
            "patients": self.patients.digest(),
            "compute": self.compute.model_dump(mode="json"),
            "most_epochs": self.most_epochs,
            "seed": self.seed,
            "dependencies": {
                path: md5 for path, md5 in dependencies.items() if not path.startswith(AFTERWARDS)
            },
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def plan(self) -> Plan:
        """The same with its seeds; refused where the declared settings lie outside the space."""
        if isinstance(self.network.way, OffTheShelf):
            message = (
                f"network.{self.model}: off_the_shelf has no epochs to search by; write "
                "search: {trials: 0}, or search a route that trains."
            )
            raise StudyFileError(message)
        settings = self.network.model_dump(mode="json")
        epochs = self.network.epochs
        return Plan(
            asked=self.network.search,
            trials=self.trials,
            declared=space.declared(settings, self.network.search.space, f"network.{self.model}"),
            epochs=epochs if self.most_epochs is None else min(epochs, self.most_epochs),
            seed=_seed(self.seed, "tune", self.model),
            trial_seed=_seed(self.seed, "train", self.model),
        )


@dataclass(frozen=True)
class Where:
    """Where a search's work in progress is kept, and who carries it out."""

    folder: Path  # below .oncotrail/search
    lock: Path
    features: Path  # kept for all who run the same trunk over the same images
    machine: Machine

    @classmethod
    def of(cls, work: Path, model: str, key: str) -> Where:
        """A folder per network and key; the workers that the environment asks for."""
        return cls(
            folder=work / FOLDER / model / key,
            lock=lock_of(work, model),
            features=work / FEATURES,
            machine=Machine.from_environment(),
        )


def lock_of(work: Path, model: str) -> Path:
    """The file that says who searches this network."""
    return work / FOLDER / f"{model}.lock"


def search_network(task: Task, where: Where, listener: Listener) -> Found:
    """Search, or go on where a search of the same key was; one at a time."""
    from oncotrail.search.objective import Trials

    plan = task.plan()
    threads = where.machine.threads_each(task.compute.threads)
    common = Trials(
        network=task.network,
        model=task.model,
        patients=task.patients,
        pixels=task.pixels,
        pretrained=task.pretrained,
        features=where.features,
        compute=task.compute.model_copy(update={"threads": threads}),
        most_epochs=task.most_epochs,
        outer_fold=task.outer_fold,
    )
    place = Place.of(where.folder, f"{task.model}/{where.folder.name}")
    with held(where.lock, task.model):
        crew = where.machine.workers(common.objective(), threads)
        return sweep(plan, place, crew, listener)


def tasks_of(
    settings: Network,
    declared: Cohort,
    run: Run,
    *,
    trials: int,
    most_epochs: int | None,
    compute: Compute,
    seed: int,
) -> dict[int, Task]:
    """A study's searches of one network, by outer fold: first that of the fold that is kept."""
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    return {
        fold: Task(
            network=settings,
            model=run.key,
            patients=patients_of(settings, declared, run, fold),
            pixels=run.folder("decode"),
            pretrained=run.folder("pretrain"),
            trials=trials,
            most_epochs=most_epochs,
            compute=compute,
            seed=seed,
            outer_fold=fold,
        )
        for fold in reversed(outer_folds(split))
    }


def patients_of(
    settings: Network, declared: Cohort, run: Run, outer_fold: int | None = None
) -> Patients:
    """A study's patients for a search, from the tables of the stages before.

    Of the outer fold that is kept, where none is named.
    """
    from oncotrail.backbones import material

    cohort = tables.read(declared.table(), run.folder("acquire") / "cohort.parquet")
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    decoded = material.read_view(run.folder("decode"), settings.view)
    part = None if outer_fold is None else Part(outer_fold)
    return Patients.of(material.gather(decoded, cohort, split, settings.outcome, part).images)


def _seed(seed: int, *names: str) -> int:
    return int(generator(seed, *names).integers(2**62))
