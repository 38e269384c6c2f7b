from __future__ import annotations

from pathlib import Path

from oncotrail.tracking import stamp


def a_store(root: Path) -> tuple[Path, str]:
    database = root / "mlflow.db"
    database.write_text("as sync left it")
    return database, f"sqlite:///{database}"


def test_it_holds_while_nobody_asks_for_more_and_nobody_writes(tmp_path: Path) -> None:
    database, uri = a_store(tmp_path)
    assert not stamp.still_holds(tmp_path, uri, ["a"])
    stamp.write(tmp_path, uri, ["a"])
    assert stamp.still_holds(tmp_path, uri, ["a"])
    assert not stamp.still_holds(tmp_path, uri, ["a", "b"])
    database.write_text("as somebody else left it")
    assert not stamp.still_holds(tmp_path, uri, ["a"])


def test_it_does_not_hold_for_a_write_ahead_log_or_a_store_that_is_gone(tmp_path: Path) -> None:
    database, uri = a_store(tmp_path)
    stamp.write(tmp_path, uri, ["a"])
    log = tmp_path / "mlflow.db-wal"
    log.write_text("not yet in the file")
    assert not stamp.still_holds(tmp_path, uri, ["a"])
    log.unlink()
    database.unlink()
    assert not stamp.still_holds(tmp_path, uri, ["a"])


def test_a_server_is_always_asked(tmp_path: Path) -> None:
    stamp.write(tmp_path, "http://127.0.0.1:5000", ["a"])
    assert not stamp.still_holds(tmp_path, "http://127.0.0.1:5000", ["a"])
