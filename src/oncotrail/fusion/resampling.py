"""Borderline-SMOTE, with every synthetic row traced to the two patients that it lies between.

Borderline-SMOTE (Han, Wang and Mao 2005) looks at each minority row's nearest rows of either class.
Where most of them, but not all, are of the majority, the row is in danger; from it a synthetic row
is drawn, at a random place on the line to one of its nearest minority rows. Both searches are by
Euclidean distance, so the columns must come scaled: else the column with the widest unit (CEA in
ng/ml runs to hundreds) would choose the neighbours alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from oncotrail.errors import TrainingFault
from oncotrail.study.fusion import BorderlineSmote

NOBODY = ""  # the neighbour of a row that is a patient's own


def resample(
    table: pd.DataFrame, outcome: pd.Series, plan: BorderlineSmote, random_state: int
) -> tuple[Any, pd.DataFrame, pd.Series]:
    """The fitted sampler, and the rows with the synthetic ones after them.

    The rows' index says who they were made of: (patient, "") for a patient's own row, (patient,
    neighbour) for a synthetic one.
    """
    from imblearn.over_sampling import BorderlineSMOTE

    _check_enough(outcome, plan)
    sampler = BorderlineSMOTE(
        k_neighbors=plan.neighbours, m_neighbors=plan.border_neighbours, random_state=random_state
    )
    rows, classes = sampler.fit_resample(table, outcome)
    synthetic = rows.to_numpy()[len(table) :]
    parents = [(str(patient), NOBODY) for patient in table.index]
    if len(synthetic):
        parents += _parents(synthetic, table, outcome, sampler)
    rows.index = pd.MultiIndex.from_tuples(parents, names=["patient", "neighbour"])
    return sampler, rows, pd.Series(classes.to_numpy(), index=rows.index, name=outcome.name)


def _check_enough(outcome: pd.Series, plan: BorderlineSmote) -> None:
    minority = int(outcome.value_counts().min())
    if minority <= plan.neighbours or len(outcome) <= plan.border_neighbours:
        message = (
            f"{minority} of the {len(outcome)} patients that fit the fusion are in the smaller "
            f"class; resampling with {plan.neighbours} neighbours needs at least "
            f"{plan.neighbours + 1}. Keep more patients for the fusion (split.fusion_folds), "
            "or ask for fewer neighbours (fusion.resampling.neighbours)."
        )
        raise TrainingFault(message)


def _parents(
    synthetic: np.ndarray, table: pd.DataFrame, outcome: pd.Series, sampler: Any
) -> list[tuple[str, str]]:
    """For each synthetic row, the patient in danger and the neighbour that it lies between.

    The library does not say which pair it drew, but a point lies between two others exactly if
    its distances to them add up to theirs: among the pairs that it could have drawn, the one
    whose sum comes nearest.
    """
    from scipy.spatial.distance import cdist

    ((smaller_class, danger),) = sampler.in_danger_indices.items()
    values, names = table.to_numpy(), table.index.astype(str).to_numpy()
    minority = np.flatnonzero(outcome.to_numpy() == smaller_class)
    nearest = sampler.nn_k_.kneighbors(values[danger], return_distance=False)[:, 1:]
    base = np.repeat(danger, nearest.shape[1])  # the pairs that could have been drawn
    neighbour = minority[nearest.ravel()]
    apart = np.linalg.norm(values[base] - values[neighbour], axis=1)
    between = [
        int(np.argmin(from_row[base] + from_row[neighbour] - apart))
        for from_row in cdist(synthetic, values)
    ]
    return list(zip(names[base[between]], names[neighbour[between]], strict=True))
