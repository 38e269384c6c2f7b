"""A study's sections as small as they can be; a test says only what differs."""

from collections.abc import Iterable, Mapping
from typing import Any

AGE = {"kind": "number", "unit": "years", "minimum": 18, "maximum": 100}
HER2 = {"kind": "category", "levels": {"0": "negative", "1": "positive"}}


def cohort(clinical: Mapping[str, Any], views: Iterable[str] = ("t4",)) -> dict[str, Any]:
    """A cohort with one label, `metastasis`, in column `m`."""
    label = {"kind": "label", "column": "m", "positive": "1", "negative": "0", "means": "it"}
    return {
        "patient": "id",
        "site": "hospital",
        "outcomes": {"metastasis": label},
        "views": {view: {"modality": "CT", "means": f"slice at {view}"} for view in views},
        "clinical": dict(clinical),
    }


def network(study: str, **changes: Any) -> dict[str, Any]:
    """A network that trains in a second."""
    return {
        "study": study,
        "view": "t4",
        "outcome": "metastasis",
        "architecture": "densenet121",
        "architecture_options": {"growth_rate": 4, "block_config": [1, 1, 1, 1]},
        "weights": "none",
        "head": {"embedding": 3},
        "loss": {"kind": "binary_cross_entropy", "positive_weight": 1.0},
        "optimizer": {"kind": "adam", "learning_rate": 3e-3, "weight_decay": 0},
        "schedule": {"kind": "step", "every": 200, "factor": 0.5},
        "epochs": 1,
        "batch_size": 8,
        "augmentation": [],
        "best_epoch_by": "validation_loss",
        "search": {"trials": 0},
    } | changes


def forest(trees: int) -> dict[str, Any]:
    """A random forest of few trees."""
    return {
        "kind": "random_forest",
        "trees": trees,
        "bootstrap": False,
        "minimum_split": 3,
        "minimum_leaf": 2,
        "minimum_leaf_fraction": 0.1,
    }
