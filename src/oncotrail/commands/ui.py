"""MLflow's pages over this repository's store, on this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from oncotrail.errors import TrackingFault

HOST = "127.0.0.1"
FIRST_PORT = 5000
_PORTS = 50


def ui(root: Path, port: int | None, say: Callable[[str], None]) -> int:
    """Serve MLflow until the user ends it; its exit code."""
    from oncotrail.tracking.store import open_store, prepare_environment

    prepare_environment()
    store = open_store(root)
    if store.uri.startswith("http"):
        say(f"the tracking server of this repository is {store.uri}; open it in a browser.")
        return 0
    chosen = port if port is not None else free_port()
    say(f"MLflow at http://{HOST}:{chosen} over {store.uri}; Ctrl-C ends it.")
    words = ["server", "--host", HOST, "--port", str(chosen), "--backend-store-uri", store.uri]
    program = [sys.executable, "-m", "mlflow", *words, "--workers", "1"]
    # Without the server's job runners: nobody here uses them, and they are eight processes.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    # In a session of its own: Ctrl-C is ours alone, and ends its workers without their tracebacks.
    server = subprocess.Popen(  # noqa: S603 - our mlflow
        program, cwd=root, env=environment, start_new_session=True
    )
    with _hanging_up_is_leaving(), server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)


@contextmanager
def _hanging_up_is_leaving() -> Iterator[None]:
    """A closed terminal or a `kill` leaves like Ctrl-C does, so that no server stays behind."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from `first` on that nobody on this machine listens on."""
    for port in range(first, first + _PORTS):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                continue
            return port
    message = f"ports {first} to {first + _PORTS - 1} are taken; choose one: oncotrail ui --port N."
    raise TrackingFault(message)
