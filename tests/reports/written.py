"""The small study of tests/evaluation, written as all stages before the report leave it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.cohort.split import Split
from oncotrail.record import MemoryRun, RunRecord, folder
from oncotrail.reports.page import Asked
from oncotrail.serving.catalogue import Entry, catalogue_of
from oncotrail.study.fusion import Fusion
from oncotrail.study.network import Network
from oncotrail.study.pixels import Decode
from oncotrail.study.question import Question
from pipelines import evaluate
from tests import declared
from tests.evaluation import made

STUDY = made.STUDY
CHOSEN_EPOCH = 2
KEYS = {
    stage: f"{number:016x}"
    for number, stage in enumerate(
        [
            *("acquire", "split", "decode", "pretrain", "tune t4", "tune t11"),
            *("train t4", "train t11", "fuse", "evaluate", "audit", "register"),
        ],
        start=4096,
    )
}

QUESTION = Question.model_validate(
    {
        "title": "Relapse <b>& more</b>",
        "question": "Does the picture add?",
        "methods": "A forest.",
        "published": {
            "reference": "a paper",
            "patients": 333,
            "figures": {
                "both": {"auc": 0.96, "accuracy": 0.9},
                "clinical": {"auc": 0.87, "accuracy": 0.8},
            },
        },
    }
)
DECODE = Decode.model_validate({"views": {"t4": {"window": None, "rows": 300, "columns": 500}}})
FUSION = Fusion.model_validate(
    {
        "outcome": "relapse",
        "models": {
            "clinical": {"clinical": True},
            "both": {"clinical": True, "networks": made.NETWORKS},
        },
        "resampling": None,
        "learner": declared.forest(trees=3),
    }
)
NETWORK = Network.model_validate(
    declared.network(
        STUDY,
        outcome="relapse",
        architecture_options={},
        optimizer={"kind": "adam", "learning_rate": 0.001, "weight_decay": 0},
        epochs=1000,
    )
)
NETWORKS = dict.fromkeys(made.NETWORKS, NETWORK)
BENT = {"network.made-t4.optimizer.learning_rate": [1e-6, 1e-3]}
DRAWN = {"pipelines/acquire.py": "0" * 32, "data/made/demo/cohort": "2" * 32}
FLOW: dict[str, Any] = {
    "found": 124,
    "excluded": [
        {"kind": "data fault", "reason": "no image of t4", "patients": 1},
        {"kind": "eligibility", "reason": "younger than 18 years", "patients": 3},
    ],
    "eligible": 120,
    "sites": {
        "north": {"found": 104, "excluded": 4, "eligible": 100},
        "south": {"found": 20, "excluded": 0, "eligible": 20},
    },
}
CHECK = {
    "check": "leaked_patient",
    "looked_at": 240,
    "looked": {"patients of the split": 120, "predictions of made-t4": 120},
    "says": "nothing wrong among 240 looked at",
}


def write(root: Path, study: made.Study | None = None) -> MemoryRun:
    """Everything that the report reads; the run that may write the report."""
    chosen = study or made.study()
    chosen.write(root)
    _evaluate(root)
    _json(root, "acquire", "flow.json", FLOW)
    _json(root, "split", "split.json", {"digest": Split(chosen.split).digest})
    _json(root, "audit", "audit.json", {"checks": [CHECK]})
    for network in made.NETWORKS:
        _train(root, network)
    _record(root, "acquire", metrics={"patients_found": FLOW["found"]}, dependencies=DRAWN)
    for stage in ("split", "decode", "pretrain", "fuse", "evaluate", "audit", "register"):
        _record(root, stage)
    _register(root)
    return MemoryRun(root, STUDY, "report")


def asked(**other: Any) -> Asked:
    """What the report is asked to print."""
    values: dict[str, Any] = {
        "study": QUESTION,
        "cohort": made.DECLARED,
        "decode": DECODE,
        "network": NETWORKS,
        "fusion": FUSION,
        "evaluation": made.ASKED,
        "invented": True,
        "recipe": "demo",
    }
    return Asked(**(values | other))


def _evaluate(root: Path) -> None:
    settings = evaluate.Settings(cohort=made.DECLARED, network=NETWORKS, evaluation=made.ASKED)
    evaluate.main(settings, MemoryRun(root, STUDY, "evaluate"))


def _train(root: Path, network: str) -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "train_loss": [0.7, 0.6, 0.5],
            "validation_loss": [0.8, 0.7, 0.75],
            "train_accuracy": [0.5, 0.6, 0.7],
            "validation_accuracy": [0.5, 0.55, 0.5],
            "validation_auc": [0.5, 0.6, 0.58],
            "learning_rate": 0.001,
        }
    )
    history.to_csv(folder(root, STUDY, "train", network) / "history.csv", index=False)
    _record(root, "tune", network, params={"trials": 0})
    blueprint = {"view": "t4", "pixels": {"rows": 32, "columns": 64}}
    _json(root, "train", "network.json", blueprint, network)
    _record(
        root,
        "train",
        network,
        bent=BENT if network == "made-t4" else {},
        params={"epochs": 3, "training_images": 40, "optimizer.learning_rate": 1e-3, "more": None},
        metrics={"best_epoch": CHOSEN_EPOCH},
    )


def _register(root: Path) -> None:
    figures = {"validation_auc_low": 0.5, "validation_auc_high": 0.9}
    entries = [
        Entry(
            model=model,
            kind="fusion" if model in FUSION.models else "network",
            digest=f"{place:064x}",
            run=KEYS["fuse"],
            networks=FUSION.models[model].networks if model in FUSION.models else (),
            metrics={"validation_auc": 0.6 + place / 10, **figures},
        )
        for place, model in enumerate(["t4", "t11", "clinical", "both"])
    ]
    catalogue_of(STUDY, "validation_auc", entries).write(folder(root, STUDY, "register"))


def _record(root: Path, stage: str, network: str | None = None, **said: Any) -> None:
    name = STUDY if network is None else network
    values: dict[str, Any] = {
        "study": STUDY,
        "stage": stage,
        "name": name,
        "key": KEYS[f"{stage} {(network or '').removeprefix(f'{STUDY}-')}".rstrip()],
        "recipe": "demo",
        "seed": 7,
        "params": {},
        "bent": {},
        "dependencies": {f"pipelines/{stage}.py": "0" * 32, "data/made/raw": "1" * 32},
        "metrics": {},
        "history": {},
        "artifacts": {},
        "on_members": {},
    }
    place = folder(root, STUDY, stage, network)
    place.mkdir(parents=True, exist_ok=True)
    RunRecord(**(values | said)).write(place / "run.json")


def _json(root: Path, stage: str, name: str, values: Any, member: str | None = None) -> None:
    path = folder(root, STUDY, stage, member) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")
