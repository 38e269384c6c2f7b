from __future__ import annotations

import os
from pathlib import Path

import pytest

from oncotrail.serving.manifest import digest_of
from oncotrail.serving.package import package_network


def trained(folder: Path) -> Path:
    folder.mkdir()
    (folder / "network.json").write_text('{"view": "t4", "outcome": "metastasis"}')
    (folder / "weights.safetensors").write_text("weights")
    return folder


def test_files_are_shared_with_the_stage_that_made_them(tmp_path: Path) -> None:
    """Five models of one study hold two networks; only the names multiply."""
    source = trained(tmp_path / "trained")
    package_network("study", "t4", source, tmp_path / "model")
    packaged = tmp_path / "model" / "networks" / "study-t4" / "weights.safetensors"
    assert packaged.samefile(source / "weights.safetensors")


def test_a_disk_without_links_gets_copies_and_the_same_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = trained(tmp_path / "trained")
    package_network("study", "t4", source, tmp_path / "linked")

    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    package_network("study", "t4", source, tmp_path / "copied")
    packaged = tmp_path / "copied" / "networks" / "study-t4" / "weights.safetensors"
    assert not packaged.samefile(source / "weights.safetensors")
    assert digest_of(tmp_path / "copied") == digest_of(tmp_path / "linked")
