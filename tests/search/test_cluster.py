"""Trials on a real Ray cluster of this machine alone, where ray is installed."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.search.searching import search
from tests.search.test_killing import Driver
from tests.search.toy import worked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed"),
]
TRIALS = 4
LOCAL = "local"  # a cluster that starts with the search, on 127.0.0.1


def ended(driver: Driver) -> list[str]:
    """What a search said, whole."""
    said, _ = driver.process.communicate()
    assert driver.process.returncode == 0, said
    return said.splitlines()


def results(lines: list[str]) -> list[object]:
    return [json.loads(line.removeprefix("result ")) for line in lines if line[:6] == "result"]


def test_one_worker_of_a_cluster_gives_what_one_process_gives(tmp_path: Path) -> None:
    found = search(tmp_path / "here", TRIALS)
    here = [[t.number, dict(t.parameters), dict(t.curves)] for t in found.trials]
    there = ended(Driver(tmp_path / "there", trials=TRIALS, cluster=LOCAL))
    assert results(there) == json.loads(json.dumps(here))


def test_two_workers_of_a_cluster_lose_nothing_and_a_dead_ones_trial_goes_on(
    tmp_path: Path,
) -> None:
    driver = Driver(tmp_path, workers=2, trials=6, cluster=LOCAL, dies_once=[1])
    lines = ended(driver)
    assert "cut off 1" in lines
    assert [number for number, *_ in results(lines)] == list(range(6))
    assert worked(tmp_path / "trials" / "0001") == [1, 2, 3, 4], "from its checkpoint"
