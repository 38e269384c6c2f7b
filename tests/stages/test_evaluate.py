import json
from pathlib import Path

import pandas as pd
import pytest

from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TableError
from oncotrail.record import MemoryRun
from oncotrail.study.load import read_yaml, study_file, study_names
from oncotrail.study.network import Network
from pipelines.evaluate import Settings, main
from tests import declared
from tests.evaluation import made

ROOT = Path(__file__).parents[2]

NETWORK = Network.model_validate(declared.network(made.STUDY, outcome="relapse"))
SETTINGS = Settings(
    cohort=made.DECLARED,
    network=dict.fromkeys(made.NETWORKS, NETWORK),
    evaluation=made.ASKED,
)


def evaluated(root: Path, study: made.Study) -> MemoryRun:
    study.write(root)
    run = MemoryRun(root, made.STUDY, "evaluate")
    main(SETTINGS, run)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return evaluated(tmp_path_factory.mktemp("evaluated"), made.study())


def test_it_writes_what_the_architecture_says(run: MemoryRun) -> None:
    assert {path.name for path in run.out.iterdir()} == {
        "baseline.csv",
        "calibration.png",
        "calibration.svg",
        "comparisons.csv",
        "decision.csv",
        "decision.png",
        "decision.svg",
        "fitted_on.parquet",
        "history_t11.svg",
        "history_t4.svg",
        "roc.png",
        "roc.svg",
        "table.csv",
        "thresholds.json",
    }
    results = {path.name for path in run.results.iterdir()}
    assert results == {"auc.json", "metrics.json", "roc.csv"}


def test_a_second_run_writes_the_same_bytes(
    run: MemoryRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = evaluated(tmp_path, made.study())
    for path in (*run.out.iterdir(), *run.results.iterdir()):
        twin = (again.results if path.parent == run.results else again.out) / path.name
        assert path.read_bytes() == twin.read_bytes(), path.name
    assert capsys.readouterr().out == ""


def test_the_order_of_rows_changes_no_byte(run: MemoryRun, tmp_path: Path) -> None:
    study = made.study()
    shuffled = made.Study(
        study.cohort.sample(frac=1, random_state=1),
        study.split.sample(frac=1, random_state=2),
        study.predictions.sample(frac=1, random_state=3, ignore_index=True),
    )
    again = evaluated(tmp_path, shuffled)
    for name in ("metrics.json", "roc.csv"):
        assert (again.results / name).read_bytes() == (run.results / name).read_bytes()


def test_each_model_gets_its_figures_on_its_own_page(run: MemoryRun) -> None:
    assert set(run.on_members) == set(made.STRENGTH)
    figures = run.on_members["made-both"]
    metrics = json.loads((run.results / "metrics.json").read_text())
    assert figures["validation_auc"] == metrics["both"]["validation"]["auc"]["value"]
    assert figures["test_auc_low"] == metrics["both"]["test"]["auc"]["low"]
    assert figures["threshold"] == metrics["both"]["threshold"]


def test_tables_and_figures_are_artifacts_and_counts_are_metrics(run: MemoryRun) -> None:
    shown = {path.name for path in run.artifacts}
    assert shown == {path.name for path in run.out.iterdir()} - {"fitted_on.parquet"}
    assert run.recorded_metrics["test_patients"] == 30
    assert run.recorded_params["confidence"] == 0.95
    assert len(run.lines) == len(made.STRENGTH)


def test_the_table_on_disk_agrees_with_the_metrics(run: MemoryRun) -> None:
    table = pd.read_csv(run.out / "table.csv").set_index(["model", "role", "metric"])
    metrics = json.loads((run.results / "metrics.json").read_text())
    for (model, role, metric), row in table.iterrows():
        figure = metrics[str(model).removeprefix("made-")][role][metric]
        known = {name: row[name] for name in ("value", "low", "high")}
        assert figure == (None if row[list(known)].isna().all() else known)


def test_thresholds_come_from_validation_only(run: MemoryRun, tmp_path: Path) -> None:
    """Other outcomes of the test patients change their figures and no threshold."""
    study = made.study()
    turned = {patient: place % 2 for place, patient in enumerate(study.of("test"))}
    again = evaluated(tmp_path, study.relabelled("test", turned))
    assert (again.out / "thresholds.json").read_bytes() == (
        run.out / "thresholds.json"
    ).read_bytes()
    assert (again.results / "metrics.json").read_text() != (
        run.results / "metrics.json"
    ).read_text()
    fitted_on = tables.read(tables.FITTED_ON, again.out / "fitted_on.parquet")
    assert set(fitted_on["patient"]) == set(study.of("validation"))


def test_every_network_of_a_study_is_in_the_plot_of_losses() -> None:
    """DVC cannot draw the plots at the top of dvc.yaml from a study file, so they are listed."""
    (plot,) = read_yaml(ROOT / "dvc.yaml")["plots"]
    networks = {
        key: network["study"]
        for study in study_names(ROOT)
        for key, network in (read_yaml(ROOT / study_file(study)).get("network") or {}).items()
    }
    histories = {f"data/{study}/train/{key}/history.csv" for key, study in networks.items()}
    assert set(plot["loss"]["y"]) == histories


def test_a_network_that_is_no_longer_declared_stops(tmp_path: Path) -> None:
    made.study().write(tmp_path)
    (tmp_path / "data" / made.STUDY / "train" / "made-t12").mkdir()
    with pytest.raises(StudyFileError, match="made-t12"):
        main(SETTINGS, MemoryRun(tmp_path, made.STUDY, "evaluate"))


def test_a_model_without_a_test_patient_stops_and_names_the_patient(tmp_path: Path) -> None:
    study = made.study()
    gone = study.of("test")[0]
    study.without("made-both", [gone]).write(tmp_path)
    with pytest.raises(TableError, match=f"made-both in test: 1 patients have no row, e.g. {gone}"):
        main(SETTINGS, MemoryRun(tmp_path, made.STUDY, "evaluate"))


@pytest.mark.parametrize(
    ("history", "says"),
    [(None, "missing or empty"), ("", "missing or empty"), ("a,b\n1,2\n", "epoch")],
)
def test_a_network_without_its_history_stops(
    tmp_path: Path, history: str | None, says: str
) -> None:
    made.study().write(tmp_path)
    path = tmp_path / "data" / made.STUDY / "train" / "made-t4" / "history.csv"
    path.unlink()
    if history is not None:
        path.write_text(history)
    with pytest.raises(TableError, match=says):
        main(SETTINGS, MemoryRun(tmp_path, made.STUDY, "evaluate"))
