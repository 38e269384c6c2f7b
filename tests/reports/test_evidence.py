from pathlib import Path

import pytest

from oncotrail.errors import StudyFileError, UserFault
from oncotrail.record import MemoryRun
from oncotrail.reports.evidence import Evidence, read_evidence
from tests.evaluation import made
from tests.reports import written


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return written.write(tmp_path_factory.mktemp("spoilt"))


@pytest.mark.parametrize(
    "place",
    [
        "acquire/flow.json",
        "acquire/run.json",
        "decode/run.json",
        "tune/made-t4/run.json",
        "evaluate/table.csv",
        "evaluate/roc.svg",
        "train/made-t4/history.csv",
        "audit/audit.json",
    ],
)
def test_a_missing_file_is_named_with_its_mend(spoilt: MemoryRun, place: str) -> None:
    path = spoilt.root / "data" / written.STUDY / place
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(UserFault, match=f"{Path(place).name} is missing.*run make repro"):
        read_evidence(spoilt, made.DECLARED, written.NETWORKS)
    path.write_bytes(kept)


def test_a_network_that_the_study_no_longer_declares_stops_the_report(spoilt: MemoryRun) -> None:
    fewer = {"made-t4": written.NETWORK}
    with pytest.raises(StudyFileError, match="made-t11"):
        read_evidence(spoilt, made.DECLARED, fewer)


def test_a_source_names_stages_and_their_run_keys(evidence: Evidence) -> None:
    said = evidence.source("acquire", "split")
    expected = f"acquire, run {written.KEYS['acquire']}; split, run {written.KEYS['split']}"
    assert said == f"From {expected}."
