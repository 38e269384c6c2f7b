import json
import shutil
from pathlib import Path

import pytest

from oncotrail.commands import tune
from oncotrail.errors import StageBusy, StudyFileError
from oncotrail.search.lock import held
from oncotrail.search.network import lock_of
from oncotrail.study.load import read_yaml

ROOT = Path(__file__).parents[2]
STUDY = "breast_early_fusion"
FILE = f"studies/{STUDY}.yaml"
SPACE = "{setting: optimizer.learning_rate, low: 1.0e-7, high: 1.0e-2, log: true}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The repository's own files, with a space for both networks, which share it by an anchor."""
    (tmp_path / "studies").mkdir()
    shutil.copy(ROOT / "params.yaml", tmp_path)
    text = (ROOT / FILE).read_text()
    found = [line for line in text.splitlines() if line.strip().startswith("search: {trials:")]
    assert found, "the study file declares no search"
    for line in found:
        indent = line[: len(line) - len(line.lstrip())]
        text = text.replace(line, f"{indent}search: {{trials: 0, space: [{SPACE}]}}")
    (tmp_path / FILE).write_text(text)
    return tmp_path


def trials(root: Path) -> dict[str, int]:
    networks = read_yaml(root / FILE)["network"]
    return {name.removeprefix(f"{STUDY}-"): n["search"]["trials"] for name, n in networks.items()}


@pytest.mark.parametrize("network", ["t4", "t11"])
def test_one_network_is_asked_and_its_neighbour_is_not(root: Path, network: str) -> None:
    """Whichever of the two holds the anchor that both share."""
    before = (root / FILE).read_text().splitlines()
    told = list(tune.ask_for(root, STUDY, network, 30))
    assert trials(root) == {"t4": 0, "t11": 0} | {network: 30}
    after = (root / FILE).read_text().splitlines()
    lost = [line for line in before if line not in after]
    assert len(lost) <= 1, "comments and order stay"
    assert after.count("") == before.count(""), "and so do the blanks between sections"
    assert after[after.index("fusion:") - 1] == ""
    assert any(line.startswith("+") and "trials: 30" in line for line in told)


def test_asking_again_changes_nothing(root: Path) -> None:
    list(tune.ask_for(root, STUDY, "t4", 30))
    assert list(tune.ask_for(root, STUDY, "t4", 30)) == []
    list(tune.ask_for(root, STUDY, "t4", 40))
    assert trials(root) == {"t4": 40, "t11": 0}


def test_the_demos_cap_lets_them_through(root: Path) -> None:
    told = list(tune.ask_for(root, STUDY, "t4", 30))
    assert read_yaml(root / "params.yaml")["limits"]["trials"] == 30
    assert "+  trials: 30" in told
    list(tune.ask_for(root, STUDY, "t4", 5))
    assert read_yaml(root / "params.yaml")["limits"]["trials"] == 30, "a cap is no wish"


def test_a_network_that_is_being_searched_is_left_alone(root: Path) -> None:
    before = (root / FILE).read_text()
    key = f"{STUDY}-t4"
    with (
        held(lock_of(root / ".oncotrail", key), key),
        pytest.raises(StageBusy, match=r"t4 is being searched by process \d+ on "),
    ):
        list(tune.ask_for(root, STUDY, "t4", 30))
    assert (root / FILE).read_text() == before


@pytest.mark.parametrize(
    ("study", "network", "says"),
    [
        ("breast", "t4", "there is no study 'breast'"),
        (STUDY, "t5", "has no network 't5'. Valid here: t11, t4"),
    ],
)
def test_what_is_not_there_is_refused(root: Path, study: str, network: str, says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        list(tune.ask_for(root, study, network, 30))


def test_without_a_space_nothing_is_written(root: Path) -> None:
    text = (root / FILE).read_text().replace(f", space: [{SPACE}]", "")
    (root / FILE).write_text(text)
    with pytest.raises(StudyFileError, match="30 trials and an empty space"):
        list(tune.ask_for(root, STUDY, "t4", 30))
    assert (root / FILE).read_text() == text


def test_trials_that_the_demo_bends_are_asked_for_there(root: Path) -> None:
    text = (root / FILE).read_text()
    bend = "    breast_early_fusion-t4: &demo_network\n"
    assert bend in text
    (root / FILE).write_text(text.replace(bend, f"{bend}      search: {{trials: 2}}\n"))
    with pytest.raises(StudyFileError, match=r"demo.network.breast_early_fusion-t4.search.trials"):
        list(tune.ask_for(root, STUDY, "t4", 30))


def test_what_was_found_is_told(tmp_path: Path) -> None:
    said = {
        "trials": 30,
        "winner": 7,
        "objective": "validation_auc",
        "value": 0.8123,
        "changed": {"batch_size": [16, 8]},
        "best_of": {"optimism": 0.021},
    }
    path = tmp_path / "results" / STUDY / f"search-{STUDY}-t4.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(said))
    assert tune.told(tmp_path, STUDY, f"{STUDY}-t4") == (
        "trial 7 of 30 is the best: validation_auc 0.812, of which about 0.021 is luck "
        "(batch_size 16 -> 8)."
    )
