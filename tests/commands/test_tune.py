import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from oncotrail.commands import tune
from oncotrail.errors import StageBusy, StudyFileError
from oncotrail.search.lock import held
from oncotrail.search.network import lock_of
from oncotrail.study.base import Settings
from oncotrail.study.load import load, read_yaml
from oncotrail.study.network import Network

ROOT = Path(__file__).parents[2]
STUDY = "breast_early_fusion"
FILE = f"studies/{STUDY}.yaml"
SPACE = "{setting: optimizer.learning_rate, low: 1.0e-7, high: 1.0e-2, log: true}"


BENT = re.compile(r"^      search:\n(?:        .*\n)+", re.MULTILINE)  # in the demo's block


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The repository's own files, with a space for both networks, which share it by an anchor."""
    as_it_is(tmp_path)
    text = (tmp_path / FILE).read_text()
    assert len(BENT.findall(text)) == 1, "the demo searches one network"
    text = BENT.sub("", text)
    found = [line for line in text.splitlines() if line.strip().startswith("search: {trials:")]
    assert found, "the study file declares no search"
    for line in found:
        indent = line[: len(line) - len(line.lstrip())]
        text = text.replace(line, f"{indent}search: {{trials: 0, space: [{SPACE}]}}")
    (tmp_path / FILE).write_text(text)
    return tmp_path


class Searched(Settings):
    """What is in force of a network."""

    network: Network


def as_it_is(root: Path) -> Path:
    """A repository with no more than the files that say how many trials there are."""
    (root / "studies").mkdir()
    shutil.copy(ROOT / "params.yaml", root)
    shutil.copy(ROOT / FILE, root / FILE)
    return root


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


def in_demo(root: Path) -> dict[str, Any]:
    bends = read_yaml(root / FILE)["demo"]["network"]
    return {name.removeprefix(f"{STUDY}-"): bent.get("search") for name, bent in bends.items()}


def test_trials_that_the_demo_bends_are_asked_for_there(tmp_path: Path) -> None:
    root = as_it_is(tmp_path)
    before, lines = in_demo(root), (root / FILE).read_text().splitlines()
    assert before["t11"] is None
    told = list(tune.ask_for(root, STUDY, "t4", 30))
    assert in_demo(root) == {"t4": {**before["t4"], "trials": 30}, "t11": None}
    assert trials(root) == {"t4": 0, "t11": 0}, "as published"
    assert load(Searched, f"{STUDY}-t4", root).settings.network.search.trials == 30
    after = (root / FILE).read_text().splitlines()
    changed = [(old, new) for old, new in zip(lines, after, strict=True) if old != new]
    assert changed == [(f"        trials: {before['t4']['trials']}", "        trials: 30")]
    assert "+        trials: 30" in told


@pytest.mark.parametrize(
    ("trials", "says"),
    [(-1, r"demo.*search.trials.*greater than or equal to 0"), (3, "3 trials and an empty space")],
)
def test_nothing_is_written_that_the_demo_could_not_read(
    tmp_path: Path, trials: int, says: str
) -> None:
    """The demo's block alone says little: it is checked as it bends what is declared."""
    root = as_it_is(tmp_path)
    text = BENT.sub("      search: {trials: 1, space: []}\n", (root / FILE).read_text())
    (root / FILE).write_text(text)
    with pytest.raises(StudyFileError, match=says):
        list(tune.ask_for(root, STUDY, "t4", trials))
    assert (root / FILE).read_text() == text
    assert (root / "params.yaml").read_text() == (ROOT / "params.yaml").read_text()


def test_the_published_recipe_is_asked_where_it_is_declared(root: Path) -> None:
    as_bent = (ROOT / FILE).read_text()
    bent = BENT.search(as_bent)
    assert bent
    text = (root / FILE).read_text()
    anchor = f"    {STUDY}-t4:\n      <<: *demo_network\n"
    assert anchor in text
    (root / FILE).write_text(text.replace(anchor, anchor + bent[0]))
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("recipe: demo", "recipe: published"))
    before = in_demo(root)
    list(tune.ask_for(root, STUDY, "t4", 30))
    assert trials(root) == {"t4": 30, "t11": 0}
    assert in_demo(root) == before
    assert read_yaml(root / "params.yaml")["limits"]["trials"] < 30, "it caps the demo alone"


def test_one_mapping_under_two_names_cannot_hold_two_numbers(tmp_path: Path) -> None:
    root = as_it_is(tmp_path)
    text = (root / FILE).read_text()
    start = text.index(f"    {STUDY}-t11: &demo_network")
    end = text.index("  fusion:", start)
    both = f"    {STUDY}-t4: &demo\n      search: {{trials: 2, space: [{SPACE}]}}\n"
    shared = f"{text[:start]}{both}    {STUDY}-t11: *demo\n{text[end:]}"
    (root / FILE).write_text(shared)
    says = rf"demo.network.{STUDY}-t11 takes its search from {STUDY}-t4; give .* lines of its own"
    with pytest.raises(StudyFileError, match=says):
        list(tune.ask_for(root, STUDY, "t4", 30))
    assert (root / FILE).read_text() == shared


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
