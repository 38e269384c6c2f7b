from dataclasses import replace
from typing import Any

import pytest

from oncotrail.reports.evidence import Evidence
from oncotrail.reports.settings_used import DEMO, LIMITS, settings_used
from tests.reports import written

PIXELS = [{"view": "t4", "pixels": {"rows": 32, "columns": 64}}]


def test_limits_and_demo_block_are_told_apart(evidence: Evidence) -> None:
    said = settings_used(written.STUDY, written.NETWORKS, written.DECODE, evidence.runs(), PIXELS)
    rows = [tuple(cell.text for cell in row) for row in said.grids[0].rows]
    assert rows == [
        ("network t4: epochs", "1000", "3", LIMITS),
        ("network t11: epochs", "1000", "3", LIMITS),
        ("picture of t4, rows × columns", "300 × 500", "32 × 64", LIMITS),  # noqa: RUF001
        ("network t4: optimizer, learning rate", "1e-6", "0.001", DEMO),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "All settings are as published, but for the number of patients."),
        ({"recipe": "published"}, "All settings are as published."),
        ({"dependencies": {}}, "All settings are as published."),
    ],
    ids=["drawn", "published", "lived"],
)
def test_settings_as_published_are_said_to_be(
    evidence: Evidence, changes: dict[str, Any], sentence: str
) -> None:
    networks = {
        name: network.model_copy(update={"epochs": 3}) for name, network in written.NETWORKS.items()
    }
    runs = [replace(run, bent={}, **changes) for run in evidence.runs()]
    pixels = [{"view": "t4", "pixels": {"rows": 300, "columns": 500}}]
    said = settings_used(written.STUDY, networks, written.DECODE, runs, pixels)
    assert said.grids == ()
    assert said.sentences[0] == sentence
    assert len(said.sentences) == (1 if changes else 2)


def test_the_number_of_patients_of_a_demo_is_no_published_setting(evidence: Evidence) -> None:
    said = settings_used(written.STUDY, written.NETWORKS, written.DECODE, evidence.runs(), PIXELS)
    bent, drawn = said.sentences
    assert bent.endswith("all others are as published, but for the number of patients.")
    assert "124 patients" in drawn


def test_a_search_that_was_cut_short_is_listed(evidence: Evidence) -> None:
    search = written.NETWORK.search.model_copy(update={"trials": 50})
    searched = written.NETWORK.model_copy(update={"search": search})
    networks = dict.fromkeys(written.NETWORKS, searched)
    said = settings_used(written.STUDY, networks, written.DECODE, evidence.runs(), PIXELS)
    rows = [tuple(cell.text for cell in row) for row in said.grids[0].rows]
    assert ("network t4: search, trials", "50", "0", LIMITS) in rows
