import json
from pathlib import Path

import pytest

from oncotrail.errors import UserFault
from oncotrail.record import MemoryRun
from oncotrail.study.load import load
from oncotrail.study.network import Network
from pipelines.tune import Settings, main

KEY = "breast_early_fusion-t4"
ROOT = Path(__file__).parents[2]


def settings(trials: int, limit: int | None) -> Settings:
    declared = load(Settings, KEY, ROOT, recipe="published").settings.model_dump()
    declared["network"]["search"]["trials"] = trials
    declared["limits"]["trials"] = limit
    return Settings.model_validate(declared)


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    return MemoryRun(tmp_path, "breast_early_fusion", "tune", KEY)


@pytest.mark.parametrize(("trials", "limit"), [(0, None), (0, 5), (40, 0)])
def test_without_trials_the_declared_settings_pass_through(
    run: MemoryRun, trials: int, limit: int | None
) -> None:
    asked = settings(trials, limit)
    main(asked, run)
    text = (run.out / "settings.json").read_text()
    assert Network.read(json.loads(text), "settings.json") == asked.network
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"
    assert run.recorded_params["optimizer.learning_rate"] == 1e-6
    assert run.recorded_params["trials"] == 0


@pytest.mark.parametrize(("trials", "limit"), [(40, None), (40, 3)])
def test_a_search_is_refused_with_what_to_do(
    run: MemoryRun, trials: int, limit: int | None
) -> None:
    with pytest.raises(UserFault, match=rf"set network.{KEY}.search.trials to 0"):
        main(settings(trials, limit), run)
    assert list(run.out.iterdir()) == []
