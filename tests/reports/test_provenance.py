from dataclasses import replace
from importlib import metadata

from oncotrail.reports.evidence import Evidence
from oncotrail.reports.provenance import address, code_digest, provenance, versions
from tests.reports import written


def test_runs_stand_in_the_order_of_the_graph(evidence: Evidence) -> None:
    runs, *_ = provenance(evidence.runs(), "abc")
    stages = [row[0].text for row in runs.rows]
    assert stages == [
        "acquire",
        "split",
        "train t4",
        "train t11",
        "fuse",
        "evaluate",
        "audit",
        "register",
    ]
    assert [row[1].text for row in runs.rows] == list(written.KEYS.values())
    assert "abc" in runs.caption


def test_an_input_is_listed_once_with_all_its_readers(evidence: Evidence) -> None:
    _, data, *_ = provenance(evidence.runs(), "abc")
    assert [(row[0].text, row[1].text) for row in data.rows] == [("data/made/raw", "1" * 12)]
    assert data.rows[0][2].text == ", ".join(map(address, evidence.runs()))


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
