import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from oncotrail.graph import digest, stage_in_graph
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.page import study_report
from oncotrail.reports.provenance import address, code_digest, provenance, versions
from oncotrail.study.load import read_yaml
from tests.reports import written
from tests.reports.read import Read

REPOSITORY = Path(__file__).resolve().parents[2]


def test_runs_stand_in_the_order_of_the_graph(evidence: Evidence) -> None:
    runs, *_ = provenance(evidence.runs(), "abc")
    assert [row[0].text for row in runs.rows] == list(written.KEYS)
    assert [row[1].text for row in runs.rows] == list(written.KEYS.values())
    assert "abc" in runs.caption


def test_an_input_is_listed_once_with_all_its_readers(evidence: Evidence) -> None:
    _, data, *_ = provenance(evidence.runs(), "abc")
    drawn, raw = data.rows
    assert [cell.text for cell in drawn] == ["data/made/demo/cohort", "2" * 12, "acquire"]
    assert [cell.text for cell in raw[:2]] == ["data/made/raw", "1" * 12]
    assert raw[2].text == ", ".join(map(address, evidence.runs()[1:]))


def test_the_digest_of_code_changes_with_code_and_not_with_data(evidence: Evidence) -> None:
    run = evidence.runs()[0]
    other_code = replace(run, dependencies=run.dependencies | {"src/oncotrail/x.py": "2" * 32})
    other_data = replace(run, dependencies=run.dependencies | {"data/made/raw": "3" * 32})
    assert code_digest(other_code) != code_digest(run)
    assert code_digest(other_data) == code_digest(run)


def test_settings_leave_out_what_is_blank(evidence: Evidence) -> None:
    _, _, asked, _ = provenance(evidence.runs(), "abc")
    said = {row[0].text: row[1].text for row in asked.rows}
    assert said["train t4"] == "epochs: 3; optimizer learning rate: 0.001; training images: 40"
    assert said["split"] == "none recorded"


def test_versions_are_the_installed_ones() -> None:
    said = {row[0].text: row[1].text for row in versions(("numpy",)).rows}
    assert said["numpy"] == metadata.version("numpy")
    assert set(said) == {"Python", "numpy"}


def test_every_stage_of_the_graph_has_its_run_on_the_page(evidence: Evidence) -> None:
    """All but the demo's, which is named, and the report's own, which is being made."""
    graph = read_yaml(REPOSITORY / "dvc.yaml")["stages"]
    assert {run.stage for run in evidence.runs()} == set(graph) - {"demo", "report", "sync"}


def test_every_run_on_the_page_is_among_what_dvc_watches(evidence: Evidence) -> None:
    """A record that DVC does not know of could change without a new report."""
    study = "breast_early_fusion"
    watched = stage_in_graph("report", study, REPOSITORY).dependencies
    for run in evidence.runs():
        place = f"data/{study}/{run.stage}/"
        assert any(f"{place}run.json".startswith((path, f"{path}/")) for path in watched), place


def test_the_demo_is_named_where_there_is_one(evidence: Evidence) -> None:
    runs, *_ = provenance(evidence.runs(), "abc")
    assert "The stage demo drew data/made/demo/cohort" in runs.source
    assert "data/made/demo/run.json" in runs.source
    of_real = [run for run in evidence.runs() if run.stage != "acquire"]
    assert provenance(of_real, "abc")[0].source == ""


def test_a_digest_can_be_computed_as_the_page_says(evidence: Evidence, tmp_path: Path) -> None:
    said = Read(study_report(written.STUDY, written.asked(), evidence)).text
    (command,) = re.findall(r"python -c '([^']*)'", said)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    command = command.replace("FOLDER", str(tmp_path))
    asked = [sys.executable, "-c", command]
    computed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    line = f"in/a.txt {digest(tmp_path / 'in' / 'a.txt')}"
    assert computed == hashlib.md5(line.encode(), usedforsecurity=False).hexdigest()


def test_the_digest_of_code_is_that_of_the_lines_that_the_page_names(evidence: Evidence) -> None:
    code = {"src/b.py": "1" * 32, "pipelines/a.py": "2" * 32, "data/c": "3" * 32}
    run = replace(evidence.runs()[0], dependencies=code)
    lines = f"pipelines/a.py {'2' * 32}\nsrc/b.py {'1' * 32}"
    assert code_digest(run) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_same_bytes_are_promised_for_the_same_versions_only(evidence: Evidence) -> None:
    said = Read(study_report(written.STUDY, written.asked(), evidence)).text
    assert "The same files and the same versions of the packages give the same bytes" in said
