"""A real Ray cluster of two nodes on this machine, with ports and a token of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SECONDS_TO_START, SECONDS_TO_END = 180.0, 30.0
HERE = "127.0.0.1"
READY = "block forever"  # what `ray start --block` ends its greeting with


@dataclass(frozen=True)
class Cluster:
    """Where it is reached, what those who reach it must have in their environment, its head."""

    address: str  # of Ray's client
    environment: Mapping[str, str]
    head: subprocess.Popen[bytes]


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """A head and a second node, with one CPU each."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: sockets lie in it
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    patient = {"RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "180"}  # with a machine that is busy
    environment = {**token, **patient, "HOME": str(folder)}
    environment["RAY_CLIENT_RECONNECT_GRACE_PERIOD"] = "1"
    gcs, client = _free_port(), _free_port()
    words = ["--head", f"--port={gcs}", f"--ray-client-server-port={client}"]
    quiet = ["--include-dashboard=false", f"--temp-dir={folder / 'ray'}"]
    try:
        with ExitStack() as nodes:
            head = nodes.enter_context(_node(folder / "head.log", environment, *words, *quiet))
            nodes.enter_context(_node(folder / "node.log", environment, f"--address={HERE}:{gcs}"))
            yield Cluster(f"ray://{HERE}:{client}", environment, head)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _node(
    log: Path, environment: Mapping[str, str], *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    common = ["--block", f"--node-ip-address={HERE}", "--num-cpus=1", "--disable-usage-stats"]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *common, *words],
            env={**os.environ, **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, log)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a node with all that it started, as it likes to be ended."""
    started = _started_by(process)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
    _kill(process, started)


def lose(process: subprocess.Popen[bytes]) -> None:
    """End it as a machine ends that loses its power."""
    _kill(process, _started_by(process))


def _started_by(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    if process.poll() is not None:
        return []
    return psutil.Process(process.pid).children(recursive=True)


def _kill(process: subprocess.Popen[bytes], started: list[psutil.Process]) -> None:
    process.kill()
    process.wait()
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while READY not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"a node did not start:\n{log.read_text(encoding='utf-8', errors='replace')}"
            raise AssertionError(message)
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind((HERE, 0))
        return int(tried.getsockname()[1])
