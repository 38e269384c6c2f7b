"""The fusions of a study, fold by fold: what each outer fold gives them, and who may learn.

One fusion is fitted in each outer fold, on that fold's patients and on what that fold's networks
said of them, so that a test patient of a fold has no part in it.

Networks that are out of fold scored each training patient by a training that had left that patient
out. All training patients may then fit the fusion, and not only those kept from the networks. But
the patients were scored by different trainings, whose embeddings have no common axes: unit 3 of one
has nothing to do with unit 3 of another (docs/decisions/0003). Their scores have, so a fusion reads
these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from oncotrail.cohort.folds import of_fold, outer_folds
from oncotrail.errors import StudyFileError, TableError
from oncotrail.fusion.early import FusedModel, Material, fuse
from oncotrail.study.fusion import ColumnSet, Fusion, misread
from oncotrail.study.network import Network


def fuse_folds(
    model: str, asked: ColumnSet, plan: Fusion, given: Material, seed: int
) -> dict[int, FusedModel]:
    """One fusion per outer fold; `given` has the tables of all of them."""
    return {
        fold: fuse(model, asked, plan, within(given, fold), seed)
        for fold in outer_folds(given.split)
    }


def within(given: Material, fold: int) -> Material:
    """One outer fold's rows of every table, as the networks' first seed made them."""
    return replace(
        given,
        split=of_fold(given.split, fold),
        features={name: _rows(of, fold, name) for name, of in given.features.items()},
        predictions={name: _rows(of, fold, name) for name, of in given.predictions.items()},
    )


def read_by_score(plan: Fusion) -> tuple[str, ...]:
    """The networks whose scores a model of the study reads."""
    return tuple(dict.fromkeys(name for asked in plan.models.values() for name in asked.scores))


def learns_from_all(plan: Fusion, networks: Mapping[str, Network]) -> bool:
    """Whether all training patients may fit the fusions; refused where embeddings do not align.

    All models of a study learn from the same patients, so that their comparison is one of columns:
    from all of them only where every network that any of them reads is out of fold.
    """
    for fault in misread(plan, networks):
        raise StudyFileError(fault)
    read = {name for asked in plan.models.values() for name in asked.looks_through}
    return bool(read) and all(networks[name].out_of_fold for name in read)


def _rows(table: pd.DataFrame, fold: int, network: str) -> pd.DataFrame:
    """One outer fold's rows of the first seed."""
    first = (table["outer_fold"] == fold) & (table["seed"] == table["seed"].min())
    if not first.any():
        message = (
            f"{network} has no rows of outer fold {fold}, which the split has; run make repro."
        )
        raise TableError(message)
    return pd.DataFrame(table[first.astype(bool)]).reset_index(drop=True)
