"""A study small enough to write down: clinical columns, two networks' embeddings, a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.cohort.split import split_patients
from oncotrail.fusion.early import Material
from oncotrail.study.cohort import Cohort
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from tests import declared

STUDY = "toy"
NETWORKS = ("toy-t4", "toy-t11")
SEED = 11

COHORT = Cohort.read(
    declared.cohort(
        {
            "age": declared.AGE,
            "cea": {"kind": "number", "unit": "ng/ml", "minimum": 0, "maximum": 1000},
            "her2": declared.HER2,
            "subtype": {"kind": "category", "levels": {"1": "A", "2": "B", "3": "C"}},
        },
        views=("t4", "t11"),
    ),
    STUDY,
)

FUSION = Fusion.read(
    {
        "outcome": "metastasis",
        "models": {
            "clinical": {"clinical": True},
            "clinical_t4_t11": {"clinical": True, "networks": NETWORKS},
            "only_t4": {"clinical": False, "networks": NETWORKS[:1]},
        },
        "resampling": {"kind": "borderline_smote", "neighbours": 3, "border_neighbours": 5},
        "learner": declared.forest(trees=8),
    },
    "toy",
)


@dataclass(frozen=True)
class Study:
    """The tables that a fusion reads."""

    cohort: pd.DataFrame
    split: pd.DataFrame
    features: dict[str, pd.DataFrame]

    def material(self) -> Material:
        """As `fuse` takes them."""
        return Material(COHORT, self.cohort, self.split, self.features)


def a_study(patients: int = 160, seed: int = 3) -> Study:
    """Outcome, age, subtype and embeddings hang together; a tenth of the values is blank."""
    stream = np.random.default_rng(seed)
    metastasis = (stream.random(patients) < 0.35).astype(int)
    frame = pd.DataFrame(
        {
            # Numbers as names, so that the order of strings is not the order of numbers.
            "patient": [str(number) for number in range(1, patients + 1)],
            "site": stream.choice(["a", "b"], patients),
            "metastasis": metastasis,
            "age": np.clip(stream.normal(55 + 8 * metastasis, 10), 18, 100),
            "cea": stream.exponential(40, patients),
            "her2": stream.choice(["0", "1"], patients),
            "subtype": np.where(stream.random(patients) < 0.3 + 0.4 * metastasis, "3", "1"),
        }
    )
    for name in ("age", "cea", "her2", "subtype"):
        frame[name] = frame[name].where(stream.random(patients) > 0.1)
    cohort = tables.checked(COHORT.table(), frame, "cohort")
    split = split_patients(
        cohort,
        stratify_by="metastasis",
        validation=0.15,
        test=0.3,
        external_sites=(),
        folds=5,
        fusion_folds=3,
        seed=seed,
    )
    return Study(cohort, split.frame, {name: _features(name, cohort, stream) for name in NETWORKS})


def _features(network: str, cohort: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    numbers = stream.normal(size=(len(cohort), 3)) + 0.8 * cohort[["metastasis"]].to_numpy()
    table = pd.DataFrame(numbers, columns=[f"embedding_{number:02d}" for number in range(3)])
    said = {
        "patient": cohort["patient"],
        "image": cohort["patient"] + "-" + network,
        "source": network,
        "outer_fold": 0,
        "seed": SEED,
    }
    return tables.checked(tables.FEATURES, table.assign(**said), "features")


def networks() -> dict[str, Network]:
    """The study file's `network` section; a tiny architecture, so that it can be built in tests."""
    return {name: _network(name) for name in NETWORKS}


def _network(name: str) -> Network:
    return Network.read(
        declared.network(
            STUDY,
            view=name.split("-")[1],
            architecture_options={"growth_rate": 8, "block_config": (2, 2, 2, 2)},
            head={"embedding": 10},
            optimizer={"kind": "adam", "learning_rate": 1e-3, "weight_decay": 0},
            batch_size=16,
        ),
        name,
    )
