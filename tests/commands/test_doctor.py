from pathlib import Path

import pytest

from oncotrail.backbones import tune_device
from oncotrail.commands import doctor
from oncotrail.study.computing import Compute
from oncotrail.study.load import read_yaml
from tests.architecture import ROOT

RESNET = {"precision": "bfloat16", "layout": "channels_last", "compile": False}


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    return path


def test_what_is_written_is_the_only_change_and_is_shown(params: Path) -> None:
    before = params.read_text().splitlines()
    diff = doctor.write_chosen(params, {"resnet50": RESNET})
    after = params.read_text().splitlines()
    gone = [line for line in before if line not in after]
    assert gone == ["  networks: {}"]
    assert "-  networks: {}" in diff
    assert "resnet50" in diff
    compute = Compute.read(read_yaml(params)["compute"], "params.yaml")
    assert compute.of("resnet50").precision == "bfloat16"
    assert compute.of("another").precision == "float64"


def test_measuring_again_changes_that_entry_alone(params: Path) -> None:
    doctor.write_chosen(params, {"resnet50": RESNET, "vgg16": RESNET})
    assert doctor.write_chosen(params, {"vgg16": RESNET}) == ""
    doctor.write_chosen(params, {"vgg16": {**RESNET, "precision": "float32"}})
    networks = read_yaml(params)["compute"]["networks"]
    assert networks == {"resnet50": RESNET, "vgg16": {**RESNET, "precision": "float32"}}


@pytest.mark.usefixtures("threads_as_before")
def test_every_architecture_of_the_studies_is_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: Path
) -> None:
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    monkeypatch.setattr(tune_device, "STEPS", 1)
    monkeypatch.setattr(tune_device, "WARM_UP", 0)
    said: list[str] = []
    diff = doctor.tune_device(tmp_path, said.append)
    assert sum(line.endswith("trains it:") for line in said) == 1, "two networks, one architecture"
    assert len([line for line in said if "images/s" in line]) == 4
    assert "densenet121" in diff
    assert "densenet121" in read_yaml(params)["compute"]["networks"]


def test_the_machine_is_told() -> None:
    assert "processor cores; CUDA devices:" in doctor.devices()
