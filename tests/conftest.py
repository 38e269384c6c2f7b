"""What tests of several rooms ask for."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def threads_as_before() -> Iterator[None]:
    """Torch's number of threads belongs to the process: put it back."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
