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

from oncotrail.audit.evidence import Evidence, FusionEvidence, NetworkEvidence
from oncotrail.audit.finding import Finding, Violation, found, violation
from oncotrail.audit.refitted import other_rows
from oncotrail.audit.thresholds import other_thresholds
from oncotrail.audit.whose import groups, with_whose

CHECK = "fitted_on_test"
CHOOSERS = ("selector", "threshold")  # what chooses by the validation patients
LEARNED = ("network", "scaler")  # of a network: what makes its patients' embeddings in-sample
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
        wrong += _of_network(network, evidence)
    for fusion in evidence.fusions:
        wrong += _of_fusion(fusion, evidence)
    for model in sorted(evidence.thresholds):
        wrong += _silent(model, [f"{model}/threshold"], evidence.chosen_on)
    return found(CHECK, looked, [*wrong, *other_thresholds(evidence)])


def _of_network(network: NetworkEvidence, evidence: Evidence) -> list[Violation]:
    return [
        *_not_for_networks(network, evidence),
        *_silent(network.name, _objects(network), network.fitted_on),
        *_other_normalisation(network, evidence),
    ]


def _of_fusion(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    return [
        *_silent(fusion.learner.model, _parts(fusion, evidence), evidence.fused_on),
        *_in_sample(fusion, evidence),
        *other_rows(fusion, evidence),
    ]


def _outside_training(rows: pd.DataFrame, evidence: Evidence) -> list[Violation]:
    """Only what chooses may see validation patients; nothing may see test or external ones."""
    roles = evidence.split[["patient", "outer_fold", "role"]]
    known = rows.merge(roles, on=["patient", "outer_fold"], how="left")
    chooses = known["kind"].isin(CHOOSERS) & (known["role"] == "validation")
    forbidden = known[~(known["role"].fillna("nobody's") == "train") & ~chooses]
    return [
        Violation(
            str(name),
            tuple(sorted(set(own["patient"]))),
            f"fitted on {own['patient'].nunique()} patients that it must not see, whose role is "
            + " or ".join(sorted(set(own["role"].fillna("none in this split")))),
            MEND,
        )
        for name, own in forbidden.groupby("object")
    ]


def _fits(evidence: Evidence, what: str) -> set[str]:
    return set(evidence.split.loc[evidence.split["fits"] == what, "patient"])


def _not_for_networks(network: NetworkEvidence, evidence: Evidence) -> list[Violation]:
    kept = network.fitted_on["patient"].isin(_fits(evidence, "fusion"))
    wrong = network.fitted_on.loc[kept, "patient"]
    says = f"fitted on {wrong.nunique()} patients that the split keeps for the fusion"
    return violation(network.name, wrong, says, MEND)


def _in_sample(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    """A network is surer of those it learned from; a forest that learns from that overrates it."""
    rows = _rows_of(fusion, evidence)
    wrong = []
    for network in evidence.networks:
        if network.name in fusion.learner.networks:
            learned = network.fitted_on[network.fitted_on["kind"].isin(LEARNED)]
            both = rows.loc[rows["patient"].isin(learned["patient"]), "patient"]
            says = f"fitted on {both.nunique()} patients that {network.name} was fitted on too"
            wrong += violation(fusion.learner.model, both, says, MEND)
    unkept = rows.loc[~rows["patient"].isin(_fits(evidence, "fusion")), "patient"]
    says = f"fitted on {unkept.nunique()} patients that the split does not keep for the fusion"
    return [*wrong, *violation(fusion.learner.model, unkept, says, MEND)]


def _objects(network: NetworkEvidence) -> list[str]:
    """What a network consists of that was fitted: itself, its epoch, its own normalisation."""
    own = ["", "/best_epoch"]
    if network.blueprint["estimator"] is not None:  # nothing was trained
        own = ["", "/scaling", "/calibration"]
    if network.blueprint["attention"] is not None:
        own.append("/attention")
    if network.blueprint["start"]["constants"] == "training":
        own.append("/normalisation")
    return [f"{network.name}{part}" for part in own]


def _parts(fusion: FusionEvidence, evidence: Evidence) -> list[str]:
    """What a fusion consists of that was fitted; the sampler is gone once the forest has grown."""
    sampler = [] if evidence.declared.fusion.resampling is None else ["sampler"]
    return [f"{fusion.learner.model}/{p}" for p in (*fusion.learner.pipeline.named_steps, *sampler)]


def _silent(model: str, objects: list[str], rows: pd.DataFrame) -> list[Violation]:
    silent = sorted(set(objects) - set(rows["object"]))
    says = f"nothing says which rows {', '.join(silent)} was fitted on"
    return [Violation(model, (), says, "Record every fit; run the stage again.")] if silent else []


def _rows_of(fusion: FusionEvidence, evidence: Evidence) -> pd.DataFrame:
    own = evidence.fused_on["object"].str.startswith(f"{fusion.learner.model}/")
    return evidence.fused_on[own]


def _other_normalisation(network: NetworkEvidence, evidence: Evidence) -> list[Violation]:
    """The mean in the blueprint is the mean of the pixels of the patients that its record names."""
    name = f"{network.name}/normalisation"
    record = network.fitted_on[network.fitted_on["object"] == name]
    named = frozenset(record["patient"].astype(str))
    means = _means(network, evidence)
    said = np.mean(network.blueprint["architecture"]["normalisation"]["mean"])

    def fits(patients: frozenset[str]) -> bool:
        own = means[means.index.isin(patients)]
        return bool(len(own) and np.isclose(own.mean() / WHITE, said, rtol=SAME_MEAN))

    if named.isdisjoint(means.index) or fits(named):
        return []
    says = f"is not the mean of the {len(named)} patients that its record names"
    wrong = Violation(name, tuple(sorted(named)), says, MEND)
    return [with_whose(wrong, groups(evidence.split, set(means.index)), fits)]


def _means(network: NetworkEvidence, evidence: Evidence) -> pd.Series:
    """The mean grey value (0 to 255) of each image that the network's view has, by patient."""
    here = evidence.pixels[evidence.pixels["view"] == network.view]
    store = evidence.views[network.view].store
    means = [store[row].mean(dtype=np.float64) for row in here["row"]]
    return pd.Series(means, index=here["patient"].astype(str), dtype=np.float64)
