import json
from pathlib import Path

from oncotrail.commands.summary import summary, table


def put(root: Path, roles: list[str]) -> None:
    figures = {
        "patients": 126,
        "events": 54,
        "auc": {"value": 0.8123, "low": 0.7, "high": 0.9},
        "accuracy": None,
    }
    models = {"clinical": {**dict.fromkeys(roles, figures), "threshold": 0.4}}
    folder = root / "results" / "lungs"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(models))


def test_models_are_shown_on_test_patients_with_intervals(tmp_path: Path) -> None:
    put(tmp_path, ["validation", "test"])
    told = list(summary(tmp_path, "lungs"))
    assert "lungs, test patients, value (interval):" in told
    assert told[-1].split() == ["clinical", "126", "54", "0.812", "(0.700-0.900)", "-", "-", "-"]


def test_external_patients_come_first_where_there_are_any(tmp_path: Path) -> None:
    put(tmp_path, ["test", "external"])
    assert "lungs, external patients, value (interval):" in list(summary(tmp_path, "lungs"))


def test_the_reports_path_is_told(tmp_path: Path) -> None:
    report = tmp_path / "data" / "lungs" / "report" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("")
    assert list(summary(tmp_path, "lungs")) == ["report: data/lungs/report/report.html"]


def test_columns_line_up() -> None:
    lines = list(table(("model", "auc"), [("a", "0.5"), ("clinical_t4", "0.75")]))
    assert len({len(line) for line in lines}) == 1
    assert lines[2] == "  clinical_t4   0.75"
