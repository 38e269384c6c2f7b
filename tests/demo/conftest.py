from pathlib import Path

import pytest

from oncotrail.demo import cohort, draws, people
from oncotrail.demo.blanks import blanks
from tests.demo.crowd import Crowd


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    drawn = draws.of_population(11, 20_000)
    made = people.people(drawn)
    return Crowd(drawn, made, blanks(drawn, made.body))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of 24 patients on disk; tests only read it."""
    folder = tmp_path_factory.mktemp("demo")
    cohort.write(folder, seed=7, patients=24, kind="breast_ct", effects="planted", population=2000)
    return folder
