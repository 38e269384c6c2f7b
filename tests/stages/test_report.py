from pathlib import Path

import pytest

from oncotrail.record import MemoryRun
from oncotrail.study.source import Acquire
from pipelines.report import Settings, main
from tests.evaluation import made
from tests.reports import written

SETTINGS = Settings(
    study=written.QUESTION,
    acquire=Acquire(path="data/made/demo/cohort", pseudonyms="invented", on_fault="stop"),
    cohort=made.DECLARED,
    decode=written.DECODE,
    network=written.NETWORKS,
    fusion=written.FUSION,
    evaluation=made.ASKED,
)


def reported(root: Path) -> MemoryRun:
    run = written.write(root)
    main(SETTINGS, run)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return reported(tmp_path_factory.mktemp("reported"))


def test_it_writes_one_file_and_shows_it(run: MemoryRun) -> None:
    assert [path.name for path in run.out.iterdir()] == ["report.html"]
    assert run.artifacts == [run.out / "report.html"]
    assert run.recorded_params["models"] == 4
    assert len(run.lines) == 1


def test_a_second_run_elsewhere_writes_the_same_bytes(run: MemoryRun, tmp_path: Path) -> None:
    again = reported(tmp_path)
    written_first = (run.out / "report.html").read_bytes()
    assert (again.out / "report.html").read_bytes() == written_first


def test_keyed_pseudonyms_mean_that_patients_lived(run: MemoryRun, tmp_path: Path) -> None:
    """Only a demo cohort has invented pseudonyms; that is how the page knows."""
    real = SETTINGS.acquire.model_copy(update={"pseudonyms": "keyed"})
    of_real = written.write(tmp_path)
    main(SETTINGS.model_copy(update={"acquire": real}), of_real)
    assert "never lived" in (run.out / "report.html").read_text()
    assert "never lived" not in (of_real.out / "report.html").read_text()
