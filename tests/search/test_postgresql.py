"""A search whose trials are kept by a real PostgreSQL, where one is installed."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from oncotrail.commands import prune_searches
from oncotrail.commands.prune_bounds import Bounds
from oncotrail.commands.prune_present import Asked
from oncotrail.errors import StageBusy, UserFault
from oncotrail.search.network import FOLDER
from oncotrail.search.storage import ADDRESS, Place, starts_of
from tests.search.searching import search
from tests.search.test_killing import Driver, gone

TRIALS = 4
NOBODY = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root


def program(name: str) -> str | None:
    """Debian keeps the server's programs out of PATH."""
    below = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(below[-1]) if below else None)


needs_server = pytest.mark.skipif(
    program("initdb") is None or find_spec("psycopg") is None,
    reason="PostgreSQL's server or psycopg is not installed",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A fresh server on 127.0.0.1 that ends with these tests."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    if NOBODY:
        shutil.chown(folder, NOBODY)
    data = folder / "data"
    words = [program("initdb"), "-D", data, "-U", "searcher", "-A", "trust", "-N"]
    subprocess.run(words, check=True, capture_output=True, user=NOBODY, cwd=folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    words = [program("postgres"), "-D", data, "-p", str(port), "-k", folder, *options]
    server = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=NOBODY, cwd=folder
    )
    try:
        ready = [program("pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, check=False, capture_output=True).returncode:
            assert server.poll() is None, "the server ended at once"
        yield f"postgresql://searcher@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(folder)


@needs_server
def test_postgresql_gives_what_a_file_gives(tmp_path: Path, address: str) -> None:
    here = search(tmp_path / "file", TRIALS)
    there = search(tmp_path / "server", TRIALS, address=address)
    assert [(t.parameters, t.value, t.curves) for t in there.trials] == [
        (t.parameters, t.value, t.curves) for t in here.trials
    ]
    assert not (tmp_path / "server" / "study.db").exists()


@needs_server
def test_a_killed_search_goes_on_from_the_server(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, address)
    place = Place.of(tmp_path, "killed/key")
    driver = Driver(tmp_path, trials=TRIALS, address=address, name="killed/key")
    driver.until("epoch 1 2")
    workers = driver.workers()
    driver.end(signal.SIGKILL)
    assert gone(workers)
    wait_until_free(address)
    found = search(tmp_path, TRIALS, address=place.address, name="killed/key")
    here = search(tmp_path / "file", TRIALS)
    assert [t.curves for t in found.trials] == [t.curves for t in here.trials]


@needs_server
def test_a_second_search_from_another_clone_is_refused(tmp_path: Path, address: str) -> None:
    """Each clone has a folder and a lock file of its own; the server is what they share."""
    name = "shared/key"
    first = Driver(tmp_path / "one", trials=TRIALS, address=address, name=name, seconds=1)
    first.until("epoch 0 1")
    with pytest.raises(StageBusy, match=r"^shared/key is being searched in the database that"):
        search(tmp_path / "two", TRIALS, address=address, name=name)
    search(tmp_path / "two", 1, address=address, name="shared/another")
    states = {start.state.name for start in starts_of(Place(tmp_path, name, address))}
    assert states == {"RUNNING"}, "the first goes on"
    first.end(signal.SIGKILL)
    wait_until_free(address)
    found = search(tmp_path / "two", TRIALS, address=address, name=name)
    assert len(found.trials) == TRIALS
    search(tmp_path / "two", TRIALS, address=address, name=name)  # nothing was left held


def wait_until_free(address: str) -> None:
    """The server hears of a kill when it looks at the connection."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        held = "select count(*) from pg_locks where locktype = 'advisory'"
        deadline = time.monotonic() + 30
        while connection.execute(held).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@needs_server
def test_a_search_that_prune_removes_is_forgotten_by_the_server(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody names the server, both stay: it would go on knowing files that are gone."""
    kept = prune_searches.Kept("study-t4", tmp_path / FOLDER / "study-t4" / "abandoned")
    search(kept.folder, 2, address=address, name="study-t4/abandoned")
    place = Place(kept.folder, "study-t4/abandoned", address)
    found = prune_searches.Judged([kept], {"study-t4": Asked()})
    (stays, nothing, _) = prune_searches.prune(tmp_path, found, [], Bounds(days=0, gib=0))
    assert f"trials are in a PostgreSQL that {ADDRESS} does not name" in stays
    assert nothing.startswith("searches: 0 removed")
    assert len(starts_of(place)) == 2
    monkeypatch.setenv(ADDRESS, address)
    (removed, _) = prune_searches.prune(tmp_path, found, [], Bounds(days=0, gib=0))
    assert removed.startswith("searches: 1 removed")
    assert starts_of(place) == []
    assert not kept.folder.exists()


@pytest.mark.skipif(find_spec("psycopg") is None, reason="psycopg is not installed")
@pytest.mark.parametrize("word", ["secret", "s/ecret", "secret?x=1"])
def test_a_server_that_is_away_is_told_without_its_password(tmp_path: Path, word: str) -> None:
    says = r"postgresql\+psycopg://mary:\*\*\*@127.0.0.1:9/runs cannot be used"
    with pytest.raises(UserFault, match=says) as told:
        search(tmp_path, 1, address=f"postgresql://mary:{quote_plus(word)}@127.0.0.1:9/runs")
    assert "secret" not in str(told.value)


@pytest.mark.skipif(find_spec("psycopg") is None, reason="psycopg is not installed")
@pytest.mark.parametrize(
    "option",
    [
        "password=secret",
        "secret=secret",
        "sslmode=secret",
        "host=secret:a:b",
        "port=1&host=a&host=b",
    ],
)
def test_options_are_not_told_either(tmp_path: Path, option: str) -> None:
    with pytest.raises(UserFault, match=r"cannot be( used|;)") as told:
        search(tmp_path, 1, address=f"postgresql://mary@127.0.0.1:9/runs?{option}")
    assert "secret" not in str(told.value).replace("connection option", "")


@pytest.mark.parametrize(
    "address",
    ["mysql://mary:secret@host/x", "postgresql+nothing://mary:secret@host/x", "sqlite:///x.db"],
)
def test_another_kind_of_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserFault, match=rf"{ADDRESS} is '.*'; expected postgresql:") as told:
        search(tmp_path, 1, address=address)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    ["mary secret", "postgresql:mary:secret@host/x", "postgresql://mary:secret@host:port/x"],
)
def test_of_what_is_no_address_nothing_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserFault, match=rf"^{ADDRESS} is no address of a database; ") as told:
        search(tmp_path, 1, address=address)
    assert not {"secret", "mary"} & set(re.findall(r"[a-z]+", str(told.value)))
