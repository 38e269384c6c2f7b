"""What one trial does: train one network with the loop, as the train stage would.

The trial learns from the search's training patients and is judged by its validation patients; no
other patient is known to it. Its seed and its processes are train's, and so are its threads where
one worker has them all: the network that train makes of the winner's settings is the winner's, to
the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oncotrail import compute
from oncotrail.backbones import material, plan, weights
from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.inputs import Examples, StoredRows
from oncotrail.backbones.judging import Epoch, best_of, per_patient
from oncotrail.backbones.learning import Images, work_of
from oncotrail.backbones.processes import train_as
from oncotrail.backbones.scoring import Scored, score
from oncotrail.cohort.folds import Part
from oncotrail.errors import UserFault
from oncotrail.search import space
from oncotrail.search.early_end import EarlyEnd, Ended
from oncotrail.search.job import Answer, Objective, Report, Stopped, Train
from oncotrail.search.machine import WORKERS
from oncotrail.search.patients import Patients, Rows
from oncotrail.search.reading import CHECKPOINTS
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network

_PATHS = ("pixels", "pretrained", "features")
FILES = (weights.WEIGHTS, weights.BLUEPRINT)


@dataclass(frozen=True)
class Trials:
    """What all trials of a network have in common."""

    network: Network  # as declared
    model: str
    patients: Patients
    pixels: Path  # the decode stage's output
    pretrained: Path  # the pretrain stage's output
    features: Path  # where a frozen trunk's features are kept, for all trials
    compute: Compute  # with the threads of one worker
    most_epochs: int | None
    outer_fold: int = 0  # whose patients these are

    def objective(self) -> Objective:
        """As a worker finds it; refused where its processes are more than its threads."""
        self._check_processes()
        given = {
            "network": self.network.model_dump(mode="json"),
            "model": self.model,
            "patients": asdict(self.patients),
            **{name: str(getattr(self, name).resolve()) for name in _PATHS},
            "compute": self.compute.model_dump(mode="json"),
            "most_epochs": self.most_epochs,
            "outer_fold": self.outer_fold,
        }
        return Objective(f"{__name__}:{prepare.__name__}", given)

    def _check_processes(self) -> None:
        processes, threads = self.compute.processes, self.compute.threads
        if self.compute.device == "cpu" and processes > threads:
            message = (
                f"compute.processes is {processes}, and a worker's share of compute.threads is "
                f"{threads}: all processes of all workers would be more than the threads; ask for "
                f"fewer workers ({WORKERS}, make tune WORKERS=n), or lower compute.processes."
            )
            raise UserFault(message)


def prepare(given: Mapping[str, Any]) -> Train:
    """In the worker: the images are mapped once for all its trials."""
    common = Trials(
        network=Network.read(given["network"], "the searched network"),
        model=given["model"],
        patients=Patients.from_json(given["patients"]),
        **{name: Path(given[name]) for name in _PATHS},
        compute=Compute.read(given["compute"], "compute"),
        most_epochs=given["most_epochs"],
        outer_fold=given["outer_fold"],
    )
    compute.use_threads(common.compute.threads)
    decoded = material.read_view(common.pixels, common.network.view)
    images = Images(
        learns=_examples(decoded, common.patients.training),
        chooses=_examples(decoded, common.patients.validation),
    )

    def train(parameters: Mapping[str, Any], seed: int, folder: Path, report: Report) -> Answer:
        settings = changed(common.network, parameters)
        trial = _Trial(settings, common, images, seed, folder)
        answer = trial.run(report)
        begun, part = trial.begun, Part(common.outer_fold)
        made = plan.blueprint(
            settings, common.model, decoded.made, begun.network, begun.source, part=part
        )
        weights.save_network(begun.network, made, folder)
        return answer

    return train


def changed(declared: Network, parameters: Mapping[str, Any]) -> Network:
    """The network with a trial's settings; refused where they do not go together."""
    values = space.applied(declared.model_dump(mode="json"), parameters)
    return Network.read(values, "a trial's settings")


class _Trial:
    """One network, from its start to its answer."""

    def __init__(
        self, settings: Network, common: Trials, images: Images, seed: int, folder: Path
    ) -> None:
        machine = plan.machine(settings, common.compute)
        recipe = plan.recipe(settings, common.most_epochs, seed)
        learns = images.learns.inputs
        self.begun = plan.begin(settings, learns, seed, machine.precision, common.pretrained)
        self._compute = common.compute
        self._end = EarlyEnd(FolderCheckpoints(folder / CHECKPOINTS, print))
        self._work = work_of(
            settings,
            self.begun.network,
            images,
            recipe,
            machine=machine,
            store=common.features,
            checkpoints=self._end,
        )

    def run(self, report: Report) -> Answer:
        """Train; the network has the weights of its best epoch, also where it is stopped."""
        heard: list[Epoch] = []

        def on_epoch(epoch: Epoch) -> None:
            heard.append(epoch)
            if self._end.asked_for:  # after a kill, epochs are told again
                return
            try:
                report(epoch.epoch, _figures(epoch))
            except Stopped:
                self._end.asked_for = True

        work = self._work
        try:
            trained = train_as(self._compute, work, on_epoch)
        except Ended as end:
            work.network.load_state_dict(end.best_weights)
            return Answer(_at(best_of(heard, work.recipe.best_epoch_by)), FILES)
        return Answer(_at(trained.best), FILES, self._said_of_patients())

    def _said_of_patients(self) -> dict[str, Any]:
        """Each validation patient's label and score: what the best of many is corrected with."""
        given, work = self._work.validation, self._work
        logits = score(work.network, given.inputs, work.machine).logits
        of = per_patient(logits, given.labels, given.patients, work.recipe.patient_by)
        return {
            "patients": list(dict.fromkeys(given.patients)),
            "labels": of.labels.tolist(),
            "scores": Scored(of.logits, np.empty((0, 0))).scores.tolist(),
        }


def _figures(epoch: Epoch) -> dict[str, float]:
    values = asdict(epoch)
    del values["epoch"]
    return values


def _at(epoch: Epoch) -> dict[str, float]:
    """What is said of a network that has this epoch's weights."""
    figures = _figures(epoch)
    del figures["learning_rate"]
    return {"best_epoch": epoch.epoch, **figures}


def _examples(decoded: material.Decoded, images: Rows) -> Examples:
    rows = np.array(images.rows, dtype=np.int64)
    labels = np.array(images.labels, dtype=np.int64)
    return Examples(StoredRows(decoded.pixels, rows), labels, images.patients)
