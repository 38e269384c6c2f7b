"""The small study in a cross-validation: 3 outer folds and the whole, networks of two seeds."""

from dataclasses import replace

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.cohort.folds import of_fold, outer_folds
from oncotrail.cohort.split import split_patients
from oncotrail.evaluation.evaluated import Evaluated, evaluate
from oncotrail.evaluation.folds import Judgement, judge_folds
from oncotrail.evaluation.seeds import of_first_seed
from oncotrail.record import generator
from tests.evaluation import made

FOLDS = 3
WHOLE = FOLDS
SEEDS = (1, 2)


def study() -> made.Study:
    """The patients of `made`, and scores that differ from fold to fold and from seed to seed."""
    cohort = made.study().cohort
    split = split_patients(
        cohort,
        stratify_by="relapse",
        validation=0.25,
        cross_validation=FOLDS,
        external_sites=("south",),
        folds=3,
        fusion_folds=1,
        seed=5,
    ).frame
    random = generator(8, "crossed")
    relapse = cohort.set_index("patient")["relapse"]
    parts = [
        _scored(of_fold(split, fold), relapse, model, seed, random)
        for model in made.STRENGTH
        for seed in (SEEDS if model in made.NETWORKS else SEEDS[:1])
        for fold in outer_folds(split)
    ]
    predictions = pd.concat(parts, ignore_index=True)
    return made.Study(cohort, split, tables.checked(tables.PREDICTIONS, predictions, "crossed"))


def _scored(
    fold: pd.DataFrame,
    relapse: pd.Series,
    model: str,
    seed: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    if model not in made.NETWORKS:  # a fusion scores nobody that a network learned from
        fold = fold[fold["fits"].fillna("") != "network"]
    happened = 2 * relapse.loc[fold["patient"]].to_numpy(dtype=float) - 1
    shift = random.normal(scale=0.5)  # each training has a scale of its own
    logits = random.normal(size=len(fold)) + made.STRENGTH[model] / 2 * happened + shift
    scores = 1 / (1 + np.exp(-logits))
    keys = fold[["patient", "role", "outer_fold", "inner_fold"]].assign(score=scores)
    return tables.predictions_of(model, "relapse", seed, keys)


def judged(of: made.Study) -> Judgement:
    """Its folds, by the first seed of each model."""
    return judge_folds(of_first_seed(of.predictions), of.cohort, of.split, "relapse")


def evaluated(of: made.Study) -> Evaluated:
    """As the evaluate stage does."""
    return evaluate(
        made.STUDY,
        made.ASKED,
        fused=of.fused,
        networks=of.networks,
        cohort=of.cohort,
        split=of.split,
    )


def rescored(of: made.Study, rows: pd.Series) -> made.Study:
    """The same study, where these rows of the predictions say the opposite."""
    scores = of.predictions["score"].mask(rows, 1 - of.predictions["score"])
    return replace(of, predictions=of.predictions.assign(score=scores))
