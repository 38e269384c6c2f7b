"""A served model: images, what marks their regions, and clinical columns in, probabilities out.

    a network   images -> pictures, made as for its training -> scores -> one of each patient
    a fusion    images -> pictures -> embeddings, with the clinical columns -> learner -> scores

An image gives as many pictures as its view asks for slices. A patient's score is what the network
makes of all of them; a fusion reads the mean of their embeddings, or that score.

The same functions as in training do each step, so a registered model gives a patient of the test
set the number that the predictions table has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from oncotrail.errors import ModelFault
from oncotrail.serving.inputs import check_columns, clinical_columns, image_sources
from oncotrail.serving.manifest import LEARNER, NETWORKS, Manifest

if TYPE_CHECKING:
    from oncotrail.backbones.scoring import Scored
    from oncotrail.backbones.weights import LoadedNetwork
    from oncotrail.fusion.archive import Learner

PICTURES_AT_ONCE = 64  # held in memory; a score does not depend on its neighbours


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    manifest: Manifest
    networks: Mapping[str, LoadedNetwork]
    learner: Learner | None

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """The probability of the outcome for each row of `frame`; higher means more likely.

        `frame` has one row per patient: for each view that the model reads the path of an image
        and, where it is cut to a region, its box or mask (see `inputs`); and the clinical columns,
        blank where unknown. Further columns are ignored.
        """
        check_columns(self.manifest, frame)
        scored = {name: self._scored(name, frame) for name in self.networks}
        if self.learner is None:
            ((name, alone),) = scored.items()
            probabilities = _probabilities(self.networks[name], alone, len(frame))
        else:
            probabilities = self._fused(self.learner, frame, scored)
        return pd.Series(probabilities, index=frame.index, name="probability")

    def _scored(self, name: str, frame: pd.DataFrame) -> Scored:
        """Of every picture: those of the first patient, those of the second, ..."""
        from oncotrail.backbones.scoring import Scored
        from oncotrail.imaging.decode import pictures_of
        from oncotrail.study.pixels import ViewPixels

        network = self.networks[name]
        view = ViewPixels.model_validate(network.blueprint.pixels)
        sources = image_sources(frame, network.blueprint.view, view)
        at_once = max(1, PICTURES_AT_ONCE // view.count)
        parts = []
        for first in range(0, len(sources), at_once):
            some = [pictures_of(each, view).pixels for each in sources[first : first + at_once]]
            parts.append(network.score(np.concatenate(some)))
        return Scored(
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.embeddings for part in parts]),
        )

    def _fused(
        self, learner: Learner, frame: pd.DataFrame, scored: Mapping[str, Scored]
    ) -> np.ndarray:
        from oncotrail.fusion.columns import log_odds

        rows = [f"in row {row}" for row in range(len(frame))]
        parts = [pd.DataFrame({"patient": rows}), clinical_columns(self.manifest.clinical, frame)]
        for network, columns in learner.columns.embeddings.items():
            of_patients = _by_patient(scored[network].embeddings, len(frame)).mean(axis=1)
            parts.append(pd.DataFrame(of_patients, columns=list(columns)))
        for network, column in learner.columns.scores.items():
            own = _probabilities(self.networks[network], scored[network], len(frame))
            parts.append(pd.DataFrame({column: log_odds(own)}))
        by_row = learner.predict(pd.concat(parts, axis=1))
        return by_row.loc[rows].to_numpy()


def _probabilities(network: LoadedNetwork, scored: Scored, patients: int) -> np.ndarray:
    """Of patients, from the pictures of each."""
    if network.pooling is None:
        together = np.mean if network.blueprint.patient_by == "mean" else np.max
        return np.asarray(together(_by_patient(scored.scores, patients), axis=1))
    rows = [f"{row:09d}" for row in range(patients)]
    each = len(scored.embeddings) // patients
    of_rows = network.patients(scored.embeddings, [row for row in rows for _ in range(each)])
    return np.array([of_rows[row] for row in rows])


def _by_patient(of_pictures: np.ndarray, patients: int) -> np.ndarray:
    """Patients x pictures of each [x numbers]: everybody has as many."""
    return of_pictures.reshape(patients, -1, *of_pictures.shape[1:])


def load_model(folder: Path) -> Model:
    """The model in `folder`, after its files were found to be the ones that were registered."""
    from oncotrail.backbones.weights import load_network
    from oncotrail.fusion.archive import load_learner

    manifest = Manifest.read(folder)
    networks = {name: load_network(folder / NETWORKS / name) for name in manifest.networks}
    learner = load_learner(folder / LEARNER) if manifest.kind == "fusion" else None
    for name, network in networks.items():
        if network.blueprint.view != manifest.networks[name]:
            message = (
                f"{folder}: {name} reads view {network.blueprint.view}, and serving.json says "
                f"{manifest.networks[name]}; run the register stage again."
            )
            raise ModelFault(message)
    return Model(manifest, networks, learner)
