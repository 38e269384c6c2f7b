"""A served model: image paths and clinical columns in, probabilities out.

    a network   paths -> pixels, made as for its training -> scores
    a fusion    paths -> pixels -> embeddings, with the clinical columns -> learner -> scores

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
from oncotrail.serving.inputs import check_columns, clinical_columns, image_paths
from oncotrail.serving.manifest import LEARNER, NETWORKS, Manifest

if TYPE_CHECKING:
    from oncotrail.backbones.scoring import Scored
    from oncotrail.backbones.weights import LoadedNetwork
    from oncotrail.fusion.archive import Learner

IMAGES_AT_ONCE = 64  # pixels held in memory; a score does not depend on its neighbours


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    manifest: Manifest
    networks: Mapping[str, LoadedNetwork]
    learner: Learner | None

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """The probability of the outcome for each row of `frame`; higher means more likely.

        `frame` has one row per patient: for each view that the model reads a column with the path
        of an image, and its clinical columns, blank where unknown. Further columns are ignored.
        """
        check_columns(self.manifest, frame)
        scored = {name: self._scored(name, frame) for name in self.networks}
        if self.learner is None:
            ((name, alone),) = scored.items()
            probabilities = _probabilities(self.networks[name], alone)
        else:
            probabilities = self._fused(self.learner, frame, scored)
        return pd.Series(probabilities, index=frame.index, name="probability")

    def _scored(self, name: str, frame: pd.DataFrame) -> Scored:
        from oncotrail.backbones.scoring import Scored
        from oncotrail.imaging.decode import pixels_of
        from oncotrail.study.pixels import ViewPixels

        network = self.networks[name]
        view = ViewPixels.model_validate(network.blueprint.pixels)
        paths = image_paths(frame, network.blueprint.view)
        parts = []
        for first in range(0, len(paths), IMAGES_AT_ONCE):
            some = paths[first : first + IMAGES_AT_ONCE]
            parts.append(network.score(np.stack([pixels_of(path, view) for path in some])))
        return Scored(
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.embeddings for part in parts]),
        )

    def _fused(
        self, learner: Learner, frame: pd.DataFrame, scored: Mapping[str, Scored]
    ) -> np.ndarray:
        rows = [f"in row {row}" for row in range(len(frame))]
        parts = [pd.DataFrame({"patient": rows}), clinical_columns(self.manifest.clinical, frame)]
        for network, columns in learner.columns.embeddings.items():
            parts.append(pd.DataFrame(scored[network].embeddings, columns=list(columns)))
        by_row = learner.predict(pd.concat(parts, axis=1))
        return by_row.loc[rows].to_numpy()


def _probabilities(network: LoadedNetwork, scored: Scored) -> np.ndarray:
    """Of patients who have one image each."""
    if network.pooling is None:
        return scored.scores
    rows = [f"{row:09d}" for row in range(len(scored.embeddings))]
    of_rows = network.patients(scored.embeddings, rows)
    return np.array([of_rows[row] for row in rows])


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
