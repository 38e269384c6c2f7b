import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from oncotrail.commands.ui import HOST, free_port
from tests.small_repository import small_repository


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port


@pytest.mark.slow
def test_pages_are_served_on_this_machine_only_until_ctrl_c(tmp_path: Path) -> None:
    root = small_repository(tmp_path)
    environment = {name: v for name, v in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    program = [sys.executable, "-m", "oncotrail.cli", "ui"]
    with subprocess.Popen(
        program,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert address
            assert b"mlflow" in answer(address[0]).lower()
            os.killpg(process.pid, signal.SIGINT)
            _, told = process.communicate(timeout=60)
        finally:
            process.terminate()  # which it hears if it was deaf to Ctrl-C
    assert process.returncode == 0
    assert "Traceback" not in told
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address[0])  # noqa: S310 - http, here


def answer(address: str, seconds: float = 120) -> bytes:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address) as page:  # noqa: S310 - http, here
                found: bytes = page.read()
                return found
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "no answer"
            time.sleep(0.5)
