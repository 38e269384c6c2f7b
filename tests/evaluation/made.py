"""A small study, made by hand: 120 patients, two networks, two fusions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.record import generator
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation

STUDY = "made"
ASKED = Evaluation(outcome="relapse", confidence=0.95, threshold="youden")
ROLES = {"train": 40, "validation": 30, "test": 30, "external": 20}
STRENGTH = {"made-t4": 0.4, "made-t11": 0.8, "made-clinical": 0.6, "made-both": 1.6}
NETWORKS = ("made-t4", "made-t11")

DECLARED = Cohort.model_validate(
    {
        "patient": "id",
        "site": "hospital",
        "outcomes": {
            "relapse": {
                "kind": "label",
                "column": "relapse",
                "positive": "1",
                "negative": "0",
                "means": "relapse within 5 years",
            },
            "os": {
                "kind": "time_to_event",
                "time": "os_months",
                "event": "death",
                "happened": "1",
                "censored": "0",
                "unit": "months",
                "means": "overall survival",
            },
        },
        "views": {"t4": {"modality": "CT", "means": "a slice"}},
        "clinical": {
            "age": {"kind": "number", "unit": "years", "minimum": 18, "maximum": 100},
            "er": {
                "kind": "category",
                "levels": {"0": "negative", "1": "positive"},
                "describe": "oestrogen receptor",
            },
        },
    }
)


@dataclass(frozen=True)
class Study:
    """The tables that evaluation reads."""

    cohort: pd.DataFrame
    split: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def fused(self) -> pd.DataFrame:
        return self.predictions[~self.predictions["model"].isin(NETWORKS)]

    @property
    def networks(self) -> list[pd.DataFrame]:
        return [self.predictions[self.predictions["model"] == name] for name in NETWORKS]

    def relabelled(self, role: str, labels: Mapping[str, int] | int) -> "Study":
        """The same study with other outcomes in one role: one for all, or one by patient."""
        patients = self.split.loc[self.split["role"] == role, "patient"]
        inside = self.cohort["patient"].isin(patients)
        new = self.cohort["patient"].map(labels) if isinstance(labels, Mapping) else labels
        return replace(
            self,
            cohort=self.cohort.assign(relapse=self.cohort["relapse"].mask(inside, new)),
        )

    def without(self, model: str, patients: list[str]) -> "Study":
        """The same study, where `model` lacks predictions."""
        gone = (self.predictions["model"] == model) & self.predictions["patient"].isin(patients)
        return replace(self, predictions=self.predictions[~gone].reset_index(drop=True))

    def of(self, role: str) -> list[str]:
        return sorted(self.split.loc[self.split["role"] == role, "patient"])

    def write(self, root: Path) -> None:
        """As the stages before evaluate leave them, with two epochs of history per network."""
        data = root / "data" / STUDY
        tables.write(DECLARED.table(), self.cohort, data / "acquire" / "cohort.parquet")
        tables.write(tables.SPLIT, self.split, data / "split" / "split.parquet")
        tables.write(tables.PREDICTIONS, self.fused, data / "fuse" / "predictions.parquet")
        for name, frame in zip(NETWORKS, self.networks, strict=True):
            tables.write(tables.PREDICTIONS, frame, data / "train" / name / "predictions.parquet")
            history = (
                "epoch,train_loss,validation_loss,validation_auc\n1,0.7,0.8,0.6\n2,0.5,0.7,0.7\n"
            )
            (data / "train" / name / "history.csv").write_text(history)


def study() -> Study:
    random = generator(7, "evaluation")
    roles = np.repeat(list(ROLES), list(ROLES.values()))
    patients = [f"P{number:03d}" for number in random.permutation(len(roles))]
    relapse = random.random(len(roles)) < 0.4
    cohort = pd.DataFrame(
        {
            "patient": patients,
            "site": np.where(roles == "external", "south", "north"),
            "relapse": relapse.astype(int),
            "os_time": random.uniform(1, 120, len(roles)).round(1),
            "os_event": (random.random(len(roles)) < 0.3).astype(int),
            "age": random.normal(55, 10, len(roles)).round(1),
            "er": random.choice(["0", "1"], len(roles)),
        }
    )
    cohort.loc[:4, "er"] = None
    split = pd.DataFrame({"patient": patients, "role": roles, "outer_fold": 0})
    split = split.assign(
        fits=np.where(roles == "train", "network", None),
        inner_fold=np.where(roles == "train", 0, np.nan),
    )
    scores = {
        model: 1 / (1 + np.exp(-random.normal(size=len(roles)) - strength * (2 * relapse - 1)))
        for model, strength in STRENGTH.items()
    }
    made = [predictions(patients, roles, model, score) for model, score in scores.items()]
    return Study(
        tables.checked(DECLARED.table(), cohort, "made"),
        tables.checked(tables.SPLIT, split, "made"),
        tables.checked(tables.PREDICTIONS, pd.concat(made, ignore_index=True), "made"),
    )


def predictions(
    patients: list[str], roles: np.ndarray, model: str, scores: np.ndarray
) -> pd.DataFrame:
    said = pd.DataFrame({"patient": patients, "model": model, "outcome": "relapse", "role": roles})
    return said.assign(
        horizon=np.nan,
        outer_fold=0,
        inner_fold=np.nan,
        seed=1,
        mode="honest",
        reader=None,
        seniority=None,
        score=scores,
        risk=np.nan,
    )
