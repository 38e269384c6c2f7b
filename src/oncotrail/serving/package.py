"""A model's folder put together from what train and fuse left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from oncotrail.serving.manifest import (
    FURTHER_FILES,
    LEARNER,
    LEARNER_FILES,
    NETWORK_FILES,
    NETWORKS,
    Manifest,
    digests,
)
from oncotrail.study.cohort import Column


def package_network(study: str, model: str, trained: Path, folder: Path) -> Manifest:
    """A network that answers by itself; `trained` is train's output, at its root the main part."""
    network = f"{study}-{model}"
    _link(trained, _files_of(trained), folder / NETWORKS / network)
    blueprint = json.loads((trained / "network.json").read_text(encoding="utf-8"))
    return _describe(folder, Manifest(study, model, "network", blueprint["outcome"], {}, {}, {}))


def package_fusion(
    study: str,
    model: str,
    fused: Path,
    folder: Path,
    *,
    trained: Mapping[str, Path],
    clinical: Mapping[str, Column],
) -> Manifest:
    """A fusion with the networks whose embeddings or scores it reads.

    `fused` is the model's folder in the fuse stage's output, with the learner of the fold that is
    kept; `trained` has each network's folder, `clinical` the declarations of the study's columns,
    of which the learner reads some.
    """
    learner = json.loads((fused / "model.json").read_text(encoding="utf-8"))
    _link(fused, LEARNER_FILES, folder / LEARNER)
    for network in learner["networks"]:
        own = trained[network]
        _link(own, _files_of(own), folder / NETWORKS / network)
    reads = [*learner["columns"]["numbers"], *learner["columns"]["categories"]]
    asked = {name: clinical[name] for name in reads}
    return _describe(folder, Manifest(study, model, "fusion", learner["outcome"], {}, asked, {}))


def _describe(folder: Path, asked: Manifest) -> Manifest:
    """Complete the manifest with what lies in the folder, and write it there."""
    networks = {
        path.parent.name: str(json.loads(path.read_text(encoding="utf-8"))["view"])
        for path in sorted(folder.glob(f"{NETWORKS}/*/network.json"))
    }
    manifest = replace(asked, networks=networks, files=digests(folder))
    manifest.write(folder)
    return manifest


def _files_of(trained: Path) -> tuple[str, ...]:
    further = (name for name in FURTHER_FILES if (trained / name).is_file())
    return (*NETWORK_FILES, *further)


def _link(source: Path, names: Sequence[str], target: Path) -> None:
    """Hard links, because five models share two networks; copies where the disk has none."""
    target.mkdir(parents=True)
    for name in names:
        try:
            (target / name).hardlink_to(source / name)
        except OSError:
            shutil.copyfile(source / name, target / name)
