"""Processes that take turns: between them nothing of theirs runs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.turns import Contender, Died, rounds, started

COUNTS = """
import os, sys, time
from pathlib import Path
from bench.turns import Turns
said, reader = Path(sys.argv[1]), os.fork()
if not reader:  # as a loader's worker: it never waits for a turn
    while os.getppid() != 1:
        time.sleep(0.001)
    os._exit(0)
turns = Turns()
for number in range(1, 10**6):
    said.write_text(str(number))
    time.sleep(0.001)
    turns.step()
"""
BREAKS = "from bench.turns import Turns; turns = Turns(); raise SystemExit('no such weights')"
NEVER_READY = "import sys; sys.exit('no such library')"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SIGSTOP and its state: Linux")


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Contender]:
    with started("a counter", ["-c", COUNTS, str(tmp_path / "count")], tmp_path) as one:
        yield one


def test_a_turn_has_as_many_steps_as_it_was_given(counter: Contender, tmp_path: Path) -> None:
    counter.ready()
    taken = [counter.turn(3), counter.turn(2)]
    assert (tmp_path / "count").read_text() == "5"
    assert taken[0] >= 0.003
    assert taken[1] >= 0.002


def test_between_turns_it_and_its_workers_are_stopped(counter: Contender) -> None:
    counter.ready()
    counter.turn(1)
    both = [psutil.Process(counter.process.pid)]
    both += both[0].children()
    assert len(both) == 2
    for process in both:
        for _ in range(1000):  # the signal is on its way
            if process.status() == psutil.STATUS_STOPPED:
                break
        assert process.status() == psutil.STATUS_STOPPED


def test_the_end_leaves_nobody_behind(tmp_path: Path) -> None:
    with started("a counter", ["-c", COUNTS, str(tmp_path / "count")], tmp_path) as one:
        one.ready()
        (worker,) = psutil.Process(one.process.pid).children()
    assert one.process.returncode is not None
    _, alive = psutil.wait_procs([worker], timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("words", "says"), [(BREAKS, "weights"), (NEVER_READY, "library")])
def test_one_that_dies_is_named_with_its_last_words(tmp_path: Path, words: str, says: str) -> None:
    said = pytest.raises(Died, match=f"the peer ended: no such {says}")
    with started("the peer", ["-c", words], tmp_path) as one, said:
        rounds([one], repeats=1, seconds=0.01)


def test_rounds_give_everybody_a_speed_in_each(counter: Contender, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with started("another", ["-c", COUNTS, str(other / "count")], other) as second:
        found = rounds([counter, second], repeats=3, seconds=0.01)
    assert {name: len(speeds) for name, speeds in found.items()} == {"a counter": 3, "another": 3}
    assert all(0 < speed < 1000 for speeds in found.values() for speed in speeds)
