"""One study's evaluation, from its tables to everything that is reported of its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from oncotrail.cohort.folds import Part
from oncotrail.evaluation.comparison import Comparison, comparisons
from oncotrail.evaluation.folds import Judgement, judge_folds
from oncotrail.evaluation.judged import CHOOSES, Judged
from oncotrail.evaluation.performance import ModelPerformance, performances
from oncotrail.evaluation.seeds import OverSeeds, of_first_seed, over_seeds
from oncotrail.record import FittedOn
from oncotrail.statistics.classification.thresholds import Threshold
from oncotrail.study.evaluation import Evaluation


@dataclass(frozen=True)
class Evaluated:
    """The patients that judged, every model's performance, and the fusions against each other.

    `performances` and `comparisons` are of each model's first seed; `over_seeds` has the models
    that were trained from several.
    """

    study: str
    asked: Evaluation
    judgement: Judgement
    fusions: tuple[str, ...]  # the models compared and drawn together
    performances: tuple[ModelPerformance, ...]
    comparisons: tuple[Comparison, ...]
    over_seeds: tuple[OverSeeds, ...] = ()

    @property
    def judged(self) -> Mapping[str, Judged]:
        """The patients of each role as it is reported."""
        return self.judgement.roles

    def short(self, model: str) -> str:
        """A model's name within the study."""
        return model.removeprefix(f"{self.study}-")

    def spread_of(self, model: str) -> OverSeeds | None:
        """A model under each of its seeds; None where it has one."""
        return next((each for each in self.over_seeds if each.model == model), None)

    def thresholds(self, model: str) -> dict[Part, Threshold]:
        """Every threshold of a model: of each outer fold, and of each seed."""
        first = next(each for each in self.performances if each.model == model)
        spread = self.spread_of(model)
        seeds = (first,) if spread is None else spread.seeds
        return {
            Part(fold, seed=seed): threshold
            for seed, each in enumerate(seeds)
            for fold, threshold in each.thresholds.items()
        }

    def fitted_on(self) -> list[FittedOn]:
        """Whom each threshold was chosen on, for the audit."""
        chose = {fold.number: fold.roles[CHOOSES].patients for fold in self.judgement.folds}
        return [
            FittedOn(
                f"{part.object(each.model)}/threshold",
                "threshold",
                chose[part.outer_fold],
                outer_fold=part.outer_fold,
            )
            for each in self.performances
            for part in self.thresholds(each.model)
        ]


def evaluate(
    study: str,
    asked: Evaluation,
    *,
    fused: pd.DataFrame,
    networks: Iterable[pd.DataFrame],
    cohort: pd.DataFrame,
    split: pd.DataFrame,
) -> Evaluated:
    """Judge all models by the same patients; `fused` and `networks` are predictions tables."""
    fusions = tuple(fused["model"].astype(str).unique())
    predictions = pd.concat([fused, *networks], ignore_index=True)
    judgement = judge_folds(of_first_seed(predictions), cohort, split, asked.outcome)
    return Evaluated(
        study=study,
        asked=asked,
        judgement=judgement,
        fusions=fusions,
        performances=performances(judgement, asked.confidence),
        comparisons=comparisons(judgement, fusions, asked.confidence),
        over_seeds=over_seeds(predictions, cohort, split, asked.outcome, asked.confidence),
    )
