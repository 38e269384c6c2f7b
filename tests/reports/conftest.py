import pytest

from oncotrail.reports.evidence import Evidence, read_evidence
from tests.evaluation import made
from tests.reports import written


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What the stages of the written study left; a test that spoils it makes its own."""
    run = written.write(tmp_path_factory.mktemp("written"))
    return read_evidence(run, made.DECLARED, written.NETWORKS)
