"""A learner on disk: the same bytes twice, refused when it is another, the same scores again."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io

from oncotrail.errors import ModelFault
from oncotrail.fusion import archive
from oncotrail.fusion.archive import load_learner, save_learner
from oncotrail.fusion.early import FusedModel, fuse
from oncotrail.fusion.folds import fuse_folds
from oncotrail.skops_archive import _nodes, same_bytes
from tests.fusion.crossed import crossed, plan
from tests.fusion.hand_made import FUSION, SEED, a_study

STUDY = a_study()


def fused(name: str = "clinical_t4_t11") -> FusedModel:
    return fuse(
        f"toy-{name}",
        FUSION.models[name],
        FUSION,
        STUDY.material(),
        SEED,
    )


MODEL = fused()


def saved(folder: Path, model: FusedModel = MODEL) -> Path:
    save_learner(model.learner, model.seen, folder)
    return folder


def resaved(folder: Path, content: bytes) -> None:
    """Put another archive in place, with a model.json that vouches for it."""
    (folder / "learner.skops").write_bytes(content)
    described = json.loads((folder / "model.json").read_text())
    described["learner_sha256"] = archive.sha256_of(folder / "learner.skops")
    (folder / "model.json").write_text(json.dumps(described))


@pytest.mark.parametrize("name", list(FUSION.models))
def test_reloaded_learner_scores_as_before(name: str, tmp_path: Path) -> None:
    model = fused(name)
    saved(tmp_path, model)
    learner = load_learner(tmp_path)
    seen = pd.read_parquet(tmp_path / "columns.parquet").sample(frac=1, random_state=4)
    said = model.predictions.set_index("patient")["score"]
    again = learner.predict(seen)
    np.testing.assert_allclose(again.reindex(said.index), said, atol=1e-12, rtol=0)
    assert learner.model == f"toy-{name}"
    assert learner.outcome == "metastasis"
    assert learner.columns == model.learner.columns
    assert learner.networks == FUSION.models[name].networks


def test_a_refit_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two", fused())
    names = sorted(path.name for path in one.iterdir())
    assert names == ["columns.parquet", "learner.skops", "model.json"]
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Addresses, hash seeds and import order differ there."""
    code = (
        "from pathlib import Path; from tests.fusion.test_archive import saved; "
        f"saved(Path({str(tmp_path / 'there')!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    here = saved(tmp_path / "here")
    for path in here.iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes(), path.name


def test_skops_itself_is_not_byte_stable() -> None:
    """Why `same_bytes` exists; when this fails, it can go."""
    one, two = (skops.io.dumps(fused("clinical").learner.pipeline) for _ in range(2))
    assert one != two
    assert same_bytes(one) == same_bytes(two)


def test_archive_holds_no_date_and_no_address(tmp_path: Path) -> None:
    with zipfile.ZipFile(saved(tmp_path) / "learner.skops") as content:
        assert {entry.date_time for entry in content.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        schema = json.loads(content.read("schema.json"))
    numbers = {node["__id__"] for node in _nodes(schema) if "__id__" in node}
    assert numbers == set(range(1, len(numbers) + 1))


def test_every_trusted_type_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path)
    for name in archive.TRUSTED:
        fewer = tuple(other for other in archive.TRUSTED if other != name)
        monkeypatch.setattr(archive, "TRUSTED", fewer)
        with pytest.raises(ModelFault, match=name.replace(".", r"\.")):
            load_learner(tmp_path)
        monkeypatch.undo()


def test_an_archive_of_something_else_is_not_built(tmp_path: Path) -> None:
    """Not even if model.json names its digest: the list of types is ours."""
    saved(tmp_path)
    resaved(tmp_path, skops.io.dumps({"run": subprocess.run}))
    with pytest.raises(ModelFault, match="subprocess"):
        load_learner(tmp_path)


def test_a_changed_byte_is_refused_before_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path)
    content = bytearray((tmp_path / "learner.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "learner.skops").write_bytes(bytes(content))
    opened: list[object] = []
    monkeypatch.setattr(skops.io, "load", lambda *given, **_: opened.append(given))
    with pytest.raises(ModelFault, match="not the one that was fitted"):
        load_learner(tmp_path)
    assert opened == []


@pytest.mark.parametrize("name", ["learner.skops", "model.json"])
def test_a_missing_file_is_a_sentence(name: str, tmp_path: Path) -> None:
    (saved(tmp_path) / name).unlink()
    with pytest.raises(ModelFault, match="fuse stage again"):
        load_learner(tmp_path)


def test_columns_are_as_the_learner_saw_them(tmp_path: Path) -> None:
    """Before imputation: the blanks are still there, and patients who trained a network are not."""
    seen = pd.read_parquet(saved(tmp_path) / "columns.parquet")
    assert list(seen) == ["patient", *MODEL.learner.columns.names]
    assert seen["age"].isna().any()
    networks_own = set(STUDY.split.loc[STUDY.split["fits"] == "network", "patient"])
    assert not networks_own & set(seen["patient"])


def test_a_learner_of_scores_comes_back_and_others_say_nothing_of_them(tmp_path: Path) -> None:
    asked = plan(stacked={"clinical": True, "scores": ["toy-t4"]})
    model = fuse_folds("toy-stacked", asked.models["stacked"], asked, crossed(), SEED)[0]
    learner = load_learner(saved(tmp_path / "stacked", model))
    assert learner.columns.scores == {"toy-t4": "toy-t4_log_odds"}
    assert learner.networks == ("toy-t4",)
    seen = pd.read_parquet(tmp_path / "stacked" / "columns.parquet")
    said = model.predictions.set_index("patient")["score"]
    np.testing.assert_allclose(learner.predict(seen).reindex(said.index), said, atol=1e-12, rtol=0)
    described = json.loads((saved(tmp_path / "early") / "model.json").read_text())
    assert "scores" not in described["columns"]
