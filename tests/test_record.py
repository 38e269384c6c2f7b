import math
from pathlib import Path

import numpy as np
import pytest

from oncotrail.record import (
    FiniteOnlyError,
    MemoryRun,
    Run,
    RunRecord,
    counted,
    finite,
    folder,
    generator,
    sha256_of,
)


def a_record(**changed: object) -> RunRecord:
    values = {
        "study": "lungs",
        "stage": "train",
        "name": "lungs-ct",
        "key": "0123456789abcdef",
        "recipe": "demo",
        "seed": 7,
        "params": {"epochs": 3, "weights": None},
        "bent": {"network.epochs": [1000, 3]},
        "dependencies": {"raw": "d41d8cd98f00b204e9800998ecf8427e"},
        "metrics": {"validation_auc": 0.75},
        "history": {"loss": [[0, 0.7], [1, 0.6]]},
        "artifacts": {"roc.svg": "00"},
        "on_members": {},
    }
    return RunRecord(**{**values, **changed})  # type: ignore[arg-type]


def test_memory_run_is_a_run(tmp_path: Path) -> None:
    assert isinstance(MemoryRun(tmp_path, "lungs", "split"), Run)


def test_a_stage_of_a_study_fills_its_folder(tmp_path: Path) -> None:
    run = MemoryRun(tmp_path, "lungs", "split")
    assert run.out == tmp_path / "data" / "lungs" / "split"
    assert run.key == "lungs"
    assert run.out.is_dir()


def test_a_stage_of_a_network_fills_the_networks_folder(tmp_path: Path) -> None:
    run = MemoryRun(tmp_path, "lungs", "train", key="lungs-ct")
    assert run.out == folder(tmp_path, "lungs", "train", "lungs-ct")
    assert run.folder("split") == tmp_path / "data" / "lungs" / "split"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_by_name(tmp_path: Path, value: float) -> None:
    run = MemoryRun(tmp_path, "lungs", "train")
    for record in (run.metrics, lambda v: run.epoch(0, v), lambda v: run.reports_on("m", v)):
        with pytest.raises(FiniteOnlyError, match="test_auc"):
            record({"loss": 0.5, "test_auc": value})
    assert not run.recorded_metrics
    assert not run.history


def test_numpy_figures_become_floats() -> None:
    assert type(finite({"auc": np.float32(0.5)})["auc"]) is float


def test_streams_repeat_and_differ_by_seed_and_purpose() -> None:
    draws = {
        name: generator(seed, *purpose).integers(2**62)
        for name, seed, purpose in [
            ("first", 1, ("split",)),
            ("again", 1, ("split",)),
            ("seed", 2, ("split",)),
            ("purpose", 1, ("train",)),
            ("finer", 1, ("split", "folds")),
        ]
    }
    assert draws.pop("again") == draws["first"]
    assert len(set(draws.values())) == 4


def test_a_stream_is_the_same_on_every_machine() -> None:
    """The demo cohort and every split hang on these numbers."""
    assert generator(20220408, "split").integers(1000, size=4).tolist() == [963, 83, 612, 262]


def test_counted_sorts_and_counts() -> None:
    assert counted(["P2", "P10", "P2"]) == (("P10", "P2"), (1, 2))
    assert counted([]) == ((), ())


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    a_record().write(path)
    assert RunRecord.read(path) == a_record()


def test_the_order_of_recording_does_not_change_the_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    a_record(params={"a": 1, "b": 2}).write(one)
    a_record(params={"b": 2, "a": 1}).write(other)
    assert one.read_bytes() == other.read_bytes()


def test_a_parameter_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nan"):
        a_record(params={"rate": math.nan}).write(tmp_path / "run.json")


def test_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert sha256_of(path).startswith("e3b0c44298fc1c14")
