from pathlib import Path

import pytest

from tests.acquire.raw_cohort import RawCohort, well


@pytest.fixture
def raw(tmp_path: Path) -> RawCohort:
    return well(tmp_path / "raw")
