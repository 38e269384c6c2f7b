import numpy as np
import pytest

from oncotrail.backbones.spread import spread
from oncotrail.cohort.folds import Part

FIGURES = {
    Part(2): 0.9,
    Part(2, None, 1): 0.7,
    Part(2, 0): 0.1,
    Part(0): 0.6,
    Part(0, None, 1): 0.2,
    Part(1): 0.7,
    Part(1, 1): 0.3,
}


def told(figures: dict[Part, float]) -> dict[Part, dict[str, float]]:
    return {
        part: {"best_epoch/validation_auc": value, "best_epoch/train_loss": 1.0, "parameters": 9}
        for part, value in figures.items()
    }


def test_seeds_are_those_of_the_kept_fold_and_folds_those_with_test_patients() -> None:
    found = spread(told(FIGURES), Part(2))
    assert found == pytest.approx(
        {
            "seeds/validation_auc_mean": 0.8,
            "seeds/validation_auc_deviation": np.std([0.9, 0.7], ddof=1),
            "folds/validation_auc_mean": 0.65,
            "folds/validation_auc_deviation": np.std([0.6, 0.7], ddof=1),
        }
    )


def test_one_training_has_no_spread_nor_has_an_estimator() -> None:
    assert spread(told({Part(0): 0.9, Part(0, 1): 0.8}), Part(0)) == {}
    assert spread({Part(0): {"parameters": 9}, Part(0, None, 1): {"parameters": 9}}, Part(0)) == {}
