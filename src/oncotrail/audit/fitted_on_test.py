"""fitted_on_test: nothing was fitted on the patients that it is judged by.

Every fitted object names the rows that its fit saw. Two questions: are those rows allowed, and are
those names true? For the second, what was fitted is fitted again on the rows that it names, and
must come out the same: each part of a fusion's learner (refitted.py), a network's normalisation,
and each model's threshold (thresholds.py).

Of a network that is not so. To train it again would cost as much as the first time, so the record
of its weights and of its best epoch is only held against the split: a training that also draws
test patients, and writes a record that keeps quiet about them, is not found.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from oncotrail.audit.evidence import Evidence
from oncotrail.audit.finding import Finding, Violation, found, violation
from oncotrail.audit.models import FusionEvidence, NetworkEvidence, PartEvidence
from oncotrail.audit.refitted import other_rows
from oncotrail.audit.thresholds import other_thresholds
from oncotrail.audit.whose import groups, with_whose
from oncotrail.cohort.folds import Part, of_fold, outer_folds

CHECK = "fitted_on_test"
CHOOSERS = ("selector", "threshold")  # what chooses by the validation patients
MEND = "Fit on the rows that the split gives it and on no others, and run the stage again."
WHITE = 255.0
SAME_MEAN = 1e-6  # relative


def fitted_on_test(evidence: Evidence) -> Finding:
    """Hold every fitted object's rows against the split, and refit what can be refitted."""
    records = {network.name: network.fitted_on for network in evidence.networks}
    records |= {"fusions": evidence.fused_on, "thresholds": evidence.chosen_on}
    looked = {f"rows that fitted {what}": len(rows) for what, rows in records.items()}
    looked["thresholds"] = len(evidence.thresholds)
    wrong = [found for rows in records.values() for found in _outside_training(rows, evidence)]
    for network in evidence.networks:
        means = _means(network, evidence)
        for part in network.parts:
            wrong += _of_part(part, network, means)
    for fusion in evidence.fusions:
        wrong += _of_fusion(fusion, evidence)
    wrong += _silent_thresholds(evidence)
    return found(CHECK, looked, [*wrong, *other_thresholds(evidence)])


def _of_part(part: PartEvidence, network: NetworkEvidence, means: pd.Series) -> list[Violation]:
    called, records = network.called(part.part), network.records(part)
    learned = records.loc[~records["kind"].isin(CHOOSERS), "patient"]
    return [
        *_not_for_networks(called, records, part),
        *(_learned_and_scored(called, learned, part) if network.out_of_fold else ()),
        *_silent(called, _objects(network.name, part), records),
        *_other_normalisation(called, records, part, means),
    ]


def _of_fusion(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    return [
        *_silent(fusion.called, _steps(fusion, evidence), fusion.records(evidence.fused_on)),
        *_in_sample(fusion, evidence),
        *other_rows(fusion, evidence),
    ]


def _outside_training(rows: pd.DataFrame, evidence: Evidence) -> list[Violation]:
    """Only what chooses may see validation patients; nothing may see test or external ones."""
    roles = evidence.split[["patient", "outer_fold", "role"]]
    known = rows.merge(roles, on=["patient", "outer_fold"], how="left")
    chooses = known["kind"].isin(CHOOSERS) & (known["role"] == "validation")
    forbidden = known[~(known["role"].fillna("nobody's") == "train") & ~chooses]
    several = len(outer_folds(evidence.split)) > 1
    return [
        Violation(
            f"{name}, outer fold {fold}" if several else str(name),
            tuple(sorted(set(own["patient"]))),
            f"fitted on {own['patient'].nunique()} patients that it must not see, whose role is "
            + " or ".join(sorted(set(own["role"].fillna("none in this split")))),
            MEND,
        )
        for (name, fold), own in forbidden.groupby(["object", "outer_fold"])
    ]


def _not_for_networks(called: str, records: pd.DataFrame, part: PartEvidence) -> list[Violation]:
    kept = part.fold.loc[part.fold["fits"] == "fusion", "patient"]
    wrong = records.loc[records["patient"].isin(kept), "patient"]
    says = f"fitted on {wrong.nunique()} patients that the split keeps for the fusion"
    return violation(called, wrong, says, MEND)


def _learned_and_scored(called: str, learned: pd.Series, part: PartEvidence) -> list[Violation]:
    """Out of fold, nobody is scored by a training that learned from them."""
    wrong = learned[learned.isin(part.patients)]
    says = f"fitted on {wrong.nunique()} patients whom it scores as if it had not seen them"
    return violation(called, wrong, says, MEND)


def _in_sample(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    """A network is surer of those it learned from; a forest that learns from that overrates it."""
    rows = fusion.records(evidence.fused_on)
    wrong = []
    for network in evidence.networks:
        if network.name in fusion.learner.networks:
            known = _learned_from(network, fusion.outer_fold)
            both = rows.loc[rows["patient"].isin(known), "patient"]
            says = f"fitted on {both.nunique()} patients that {network.name} was fitted on too"
            wrong += violation(fusion.called, both, says, MEND)
    unkept = rows.loc[~rows["patient"].isin(_may_fit(fusion, evidence)), "patient"]
    says = f"fitted on {unkept.nunique()} patients that the split does not keep for the fusion"
    return [*wrong, *violation(fusion.called, unkept, says, MEND)]


def _learned_from(network: NetworkEvidence, outer_fold: int) -> set[str]:
    """Whom the training that scored them learned from, of what a fusion of this fold reads."""
    learned: set[str] = set()
    for part in network.parts:
        if part.part.outer_fold == outer_fold and part.part.seed == 0:
            records = network.records(part)
            own = set(records.loc[~records["kind"].isin(CHOOSERS), "patient"])
            learned |= own & part.patients if network.out_of_fold else own
    return learned


def _may_fit(fusion: FusionEvidence, evidence: Evidence) -> set[str]:
    """Those kept for the fusions; all who train, where every network that one reads left them out.

    All fusions of a study learn from the same patients.
    """
    read = {name for each in evidence.fusions for name in each.learner.networks}
    out_of_fold = {network.name for network in evidence.networks if network.out_of_fold}
    fold = of_fold(evidence.split, fusion.outer_fold)
    everybody = bool(read) and read <= out_of_fold
    may = fold["role"] == "train" if everybody else fold["fits"] == "fusion"
    return set(fold.loc[may.fillna(value=False).astype(bool), "patient"])


def _objects(network: str, part: PartEvidence) -> list[str]:
    """What a network consists of that was fitted: itself, its epoch, its own normalisation."""
    own = ["", "/best_epoch"]
    if part.blueprint["estimator"] is not None:  # nothing was trained
        own = ["", "/scaling", "/calibration"]
    if part.blueprint["attention"] is not None:
        own.append("/attention")
    if part.blueprint["start"]["constants"] == "training":
        own.append("/normalisation")
    return [f"{part.part.object(network)}{name}" for name in own]


def _steps(fusion: FusionEvidence, evidence: Evidence) -> list[str]:
    """What a fusion consists of that was fitted; the sampler is gone once the forest has grown."""
    sampler = [] if evidence.declared.fusion.resampling is None else ["sampler"]
    return [f"{fusion.learner.model}/{p}" for p in (*fusion.learner.pipeline.named_steps, *sampler)]


def _silent(called: str, objects: list[str], rows: pd.DataFrame) -> list[Violation]:
    silent = sorted(set(objects) - set(rows["object"]))
    says = f"nothing says which rows {', '.join(silent)} was fitted on"
    return [Violation(called, (), says, "Record every fit; run the stage again.")] if silent else []


def _silent_thresholds(evidence: Evidence) -> list[Violation]:
    """Those that no record says of whom they were chosen on."""
    chosen_on, wrong = evidence.chosen_on, []
    for model, part in sorted(evidence.thresholds, key=str):
        own = chosen_on[chosen_on["outer_fold"] == part.outer_fold]
        named = model if part == Part.main(evidence.split) else f"{model}/{part.name}"
        wrong += _silent(named, [f"{part.object(model)}/threshold"], own)
    return wrong


def _other_normalisation(
    called: str, records: pd.DataFrame, part: PartEvidence, means: pd.Series
) -> list[Violation]:
    """The mean in the blueprint is the mean of the pixels of the patients that its record names."""
    record = records[records["object"].str.endswith("/normalisation")]
    named = frozenset(record["patient"].astype(str))
    said = np.mean(part.blueprint["architecture"]["normalisation"]["mean"])

    def fits(patients: frozenset[str]) -> bool:
        own = means[means.index.isin(patients)]
        return bool(len(own) and np.isclose(own.mean() / WHITE, said, rtol=SAME_MEAN))

    if named.isdisjoint(means.index) or fits(named):
        return []
    says = f"is not the mean of the {len(named)} patients that its record names"
    wrong = Violation(f"{called}/normalisation", tuple(sorted(named)), says, MEND)
    return [with_whose(wrong, groups(part.fold, set(means.index)), fits)]


def _means(network: NetworkEvidence, evidence: Evidence) -> pd.Series:
    """The mean grey value (0 to 255) of each picture that the network's view has, by patient."""
    here = evidence.pixels[evidence.pixels["view"] == network.view]
    store = evidence.views[network.view].store
    means = [store[row].mean(dtype=np.float64) for row in here["row"]]
    return pd.Series(means, index=here["patient"].astype(str), dtype=np.float64)
