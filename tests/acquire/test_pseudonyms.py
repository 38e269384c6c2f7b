"""Who holds the key can say who is who; nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from oncotrail.acquire.pseudonyms import Key, invented_key, key_path, stored_key
from oncotrail.errors import KeyFault


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCOTRAIL_KEYS", str(tmp_path / "keys"))


def test_the_key_is_made_once_and_for_its_owner_alone() -> None:
    first, second = stored_key("study"), stored_key("study")
    assert first.secret == second.secret
    assert (first.new, second.new) == (True, False)
    assert stat.S_IMODE(key_path("study").stat().st_mode) == 0o600
    assert list(key_path("study").parent.iterdir()) == [key_path("study")]


def test_studies_do_not_share_a_key() -> None:
    assert stored_key("one").secret != stored_key("other").secret


def test_a_key_that_others_can_read_is_refused() -> None:
    stored_key("study")
    key_path("study").chmod(0o644)
    with pytest.raises(KeyFault, match="run chmod 600"):
        stored_key("study")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(KeyFault, match="let ONCOTRAIL_KEYS name a folder"):
        stored_key("study")


def test_a_damaged_key_is_not_replaced() -> None:
    """A new key would make every patient somebody else."""
    stored_key("study")
    key_path("study").write_text("half a ke")
    with pytest.raises(KeyFault, match="restore it from your backup"):
        stored_key("study")


def test_the_default_place_is_outside_the_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ONCOTRAIL_KEYS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_path("study") == tmp_path / ".config" / "oncotrail" / "keys" / "study.key"


def test_a_pseudonym_is_stable_and_tells_nothing() -> None:
    alias = Key(b"a").alias("H1")
    assert alias == Key(b"a").alias("H1")
    assert alias.pseudonym != Key(b"b").alias("H1").pseudonym
    assert alias.pseudonym.startswith("P-")
    assert len(alias.pseudonym) == 12
    assert -3650 <= alias.days <= -1


def test_thousands_of_patients_have_their_own_pseudonym() -> None:
    aliases = Key(b"a").aliases(str(number) for number in range(20_000))
    assert len({alias.pseudonym for alias in aliases.values()}) == 20_000
    assert len({alias.days for alias in aliases.values()}) > 3000


def test_two_patients_under_one_pseudonym_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Key(b"a").alias("H1")
    monkeypatch.setattr(Key, "alias", lambda _self, _id: one)
    with pytest.raises(KeyFault, match="1 pseudonyms would stand for two patients"):
        Key(b"a").aliases(["H1", "H2"])


def test_an_invented_key_is_the_same_everywhere() -> None:
    assert invented_key("study").alias("H1") == invented_key("study").alias("H1")
    assert invented_key("study").secret != invented_key("other").secret


def test_the_fingerprint_tells_keys_apart_and_is_no_part_of_them() -> None:
    assert Key(b"a" * 32).fingerprint() != Key(b"b" * 32).fingerprint()
    assert Key(b"a" * 32).fingerprint() not in (b"a" * 32).hex()


def test_two_processes_make_one_key() -> None:
    """The slower of two finds the faster one's key, and takes it."""
    path = key_path("study")
    path.parent.mkdir(parents=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    original = os.open

    def faster(target: object, *arguments: object) -> int:
        if str(target) == str(beside) and not path.exists():
            path.touch(mode=0o600)
            path.write_text("11" * 32)
        return original(target, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", faster)
        key = stored_key("study")
    assert (key.secret, key.new) == (b"\x11" * 32, False)
