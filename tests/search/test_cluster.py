"""Trials on real Ray clusters, where ray is installed: one of its own, and one of two nodes."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.search.ray_cluster import Cluster, lose, two_nodes
from tests.search.searching import search
from tests.search.test_killing import Driver, states
from tests.search.test_objective import trials as trials_of_a_network
from tests.search.toy import worked
from tests.stages.test_train import lay_out

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed"),
]
TRIALS = 4
LOCAL = "local"  # a cluster that starts with the search, on 127.0.0.1


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with two_nodes() as cluster:
        yield cluster


def on(nodes: Cluster, folder: Path, **asked: object) -> Driver:
    """A search through Ray's client."""
    return Driver(folder, cluster=nodes.address, environment=nodes.environment, **asked)


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


def test_the_client_gives_what_one_process_gives(nodes: Cluster, tmp_path: Path) -> None:
    found = search(tmp_path / "here", TRIALS)
    here = [[t.number, dict(t.parameters), dict(t.curves)] for t in found.trials]
    there = ended(on(nodes, tmp_path / "there", trials=TRIALS))
    assert results(there) == json.loads(json.dumps(here))


def test_a_real_networks_weights_are_the_same_to_the_bit(nodes: Cluster, tmp_path: Path) -> None:
    code = asdict(trials_of_a_network(lay_out(tmp_path / "study")).objective())
    here = ended(Driver(tmp_path / "here", trials=2, **code))
    there = ended(on(nodes, tmp_path / "there", trials=2, **code))
    assert results(there) == results(here)
    for number in ("0000", "0001"):
        place = Path("trials", number, "weights.safetensors")
        assert (tmp_path / "there" / place).read_bytes() == (tmp_path / "here" / place).read_bytes()


def test_both_nodes_work_and_a_dead_workers_trial_goes_on(nodes: Cluster, tmp_path: Path) -> None:
    lines = ended(on(nodes, tmp_path, workers=2, trials=6, dies_once=[1], seconds=0.3))
    assert "cut off 1" in lines
    assert [number for number, *_ in results(lines)] == list(range(6))
    assert worked(tmp_path / "trials" / "0001") == [1, 2, 3, 4], "from its checkpoint"
    raylets = {path.read_text() for path in tmp_path.glob("trials/*/raylet.txt")}
    assert len(raylets) == 2


def test_more_workers_than_fit_are_refused(nodes: Cluster, tmp_path: Path) -> None:
    """The third would be waited for without end."""
    crowd = on(nodes, tmp_path, workers=3)
    said, _ = crowd.process.communicate()
    assert crowd.process.returncode == 2
    assert said.startswith("3 workers of 1 threads each do not fit on the 2 CPUs of the Ray cl")


def test_ctrl_c_leaves_nobody_running_and_goes_on_later(nodes: Cluster, tmp_path: Path) -> None:
    driver = on(nodes, tmp_path, trials=3, seconds=0.3)
    driver.until("epoch 1 1")
    os.killpg(driver.process.pid, signal.SIGINT)
    driver.process.communicate()
    assert states(tmp_path).count("RUNNING") == 0
    assert len(results(ended(on(nodes, tmp_path, trials=3)))) == 3


def test_a_cluster_that_is_lost_is_told_and_the_search_goes_on_elsewhere(tmp_path: Path) -> None:
    with two_nodes() as nodes:
        driver = on(nodes, tmp_path, trials=3, seconds=0.3)
        driver.until("epoch 1 1")
        lose(nodes.head)
        said, _ = driver.process.communicate()
    assert driver.process.returncode == 2
    assert f"the Ray cluster at {nodes.address} was lost" in said
    found = search(tmp_path, 3)
    assert [trial.state for trial in found.trials] == ["complete"] * 3
    with_nobody = on(nodes, tmp_path / "nobody", trials=1)
    said, _ = with_nobody.process.communicate()
    assert with_nobody.process.returncode == 2
    assert said.startswith(f"the Ray cluster at {nodes.address} cannot be reached")
