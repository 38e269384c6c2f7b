"""fitted_on_test: nothing was fitted on the patients that it is judged by.

Every fitted object names the rows that its fit saw. Two questions: are those rows allowed, and are
those names true? For the second, what was fitted is fitted again on the rows that it names, and
must come out the same; a record that keeps a test patient quiet is found by the patient's weight
in a mean.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from oncotrail.audit.evidence import Evidence, FusionEvidence, NetworkEvidence
from oncotrail.audit.finding import Finding, Violation, found, violation
from oncotrail.fusion.columns import as_learner_sees

CHECK = "fitted_on_test"
CHOOSERS = ("selector", "threshold")  # what chooses by the validation patients
LEARNED = ("network", "scaler")  # of a network: what makes its patients' embeddings in-sample
TOLERANCE = 1e-9
MEND = "Fit on the rows that the split gives it and on no others, and run the stage again."
WHITE = 255.0


def fitted_on_test(evidence: Evidence) -> Finding:
    """Hold every fitted object's rows against the split, and refit what can be refitted."""
    records = {network.name: network.fitted_on for network in evidence.networks}
    records["fusions"] = evidence.fused_on
    looked = {f"rows that fitted {what}": len(rows) for what, rows in records.items()}
    wrong = [found for rows in records.values() for found in _outside_training(rows, evidence)]
    for network in evidence.networks:
        wrong += _not_for_networks(network, evidence)
        wrong += _silent(network.name, _objects(network), network.fitted_on)
        wrong += _other_normalisation(network, evidence)
    for fusion in evidence.fusions:
        objects = [f"{fusion.learner.model}/{step}" for step in fusion.learner.pipeline.named_steps]
        wrong += _silent(fusion.learner.model, objects, evidence.fused_on)
        wrong += _in_sample(fusion, evidence)
        wrong += _other_rows(fusion, evidence)
    return found(CHECK, looked, wrong)


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
    if network.blueprint["start"] == "none":
        own.append("/normalisation")
    return [f"{network.name}{part}" for part in own]


def _silent(model: str, objects: list[str], rows: pd.DataFrame) -> list[Violation]:
    silent = sorted(set(objects) - set(rows["object"]))
    says = f"nothing says which rows {', '.join(silent)} was fitted on"
    return [Violation(model, (), says, "Record every fit; run the stage again.")] if silent else []


def _rows_of(fusion: FusionEvidence, evidence: Evidence) -> pd.DataFrame:
    own = evidence.fused_on["object"].str.startswith(f"{fusion.learner.model}/")
    return evidence.fused_on[own]


def _other_rows(fusion: FusionEvidence, evidence: Evidence) -> list[Violation]:
    """Refit each part on the rows that its record names: it must transform everybody alike."""
    return [
        Violation(f"{fusion.learner.model}/{part}", (), says, MEND)
        for part, says in _refitted(fusion, _rows_of(fusion, evidence))
    ]


def _refitted(fusion: FusionEvidence, records: pd.DataFrame) -> Iterator[tuple[str, str]]:
    from sklearn.base import clone

    *parts, (last, forest) = fusion.learner.pipeline.steps
    rows = as_learner_sees(fusion.learner.columns, fusion.seen)
    for name, step in parts:
        named = records.loc[records["object"].str.endswith(f"/{name}"), "patient"]
        own = rows[rows.index.isin(set(named))]
        made = step.transform(rows)
        if len(own) and not _alike(clone(step).fit(own).transform(rows), made):
            yield name, f"was not fitted on the {len(own)} patients that its record names"
        rows = made
    count = _rows_in_fit(records[records["object"].str.endswith(f"/{last}")])
    grown = int(forest.estimators_[0].tree_.weighted_n_node_samples[0])
    if count != grown:
        yield last, f"grew on {grown} rows, and its record names {count}"


def _alike(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    numbers = one.select_dtypes("number").columns
    close = np.allclose(one[numbers], other[numbers], rtol=TOLERANCE, atol=TOLERANCE)
    return bool(close and one.drop(columns=numbers).equals(other.drop(columns=numbers)))


def _rows_in_fit(record: pd.DataFrame) -> int:
    """A patient's own rows, and the synthetic ones, each of which has two parents."""
    times = record.groupby(record["synthetic"].astype(bool))["times"].sum()
    return int(times.get(False, 0)) + int(times.get(True, 0)) // 2


def _other_normalisation(network: NetworkEvidence, evidence: Evidence) -> list[Violation]:
    """The mean in the blueprint is the mean of the pixels of the patients that its record names."""
    name = f"{network.name}/normalisation"
    patients = network.fitted_on.loc[network.fitted_on["object"] == name, "patient"]
    here = evidence.pixels[evidence.pixels["view"] == network.view]
    rows = here.loc[here["patient"].isin(patients), "row"].to_numpy(dtype=np.int64)
    if not len(rows):
        return []
    store = evidence.views[network.view].store
    mean = np.mean([store[row].mean(dtype=np.float64) for row in rows]) / WHITE
    if np.isclose(mean, network.blueprint["architecture"]["normalisation"]["mean"][0], rtol=1e-6):
        return []
    says = f"is not the mean of the {len(set(patients))} patients that its record names"
    return [Violation(name, (), says, MEND)]
