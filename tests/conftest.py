"""What tests of several rooms ask for."""

import signal
import sys
from collections.abc import Iterator

import pytest

# A shell starts its background jobs deaf to Ctrl-C, and every process below inherits that; the
# tests that press it would wait for ever. What is caught here is back to normal in a child.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _path_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that MLflow loads puts its own code first in the path, for good."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def threads_as_before() -> Iterator[None]:
    """Torch's number of threads belongs to the process: put it back."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
