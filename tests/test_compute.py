import platform
import subprocess
import sys

import pytest
import torch

from oncotrail.compute import repeatable, use_threads

# Page faults of ten tensors of 64 MiB, made and freed one after another, once some were there.
FAULTS = """
import resource, torch
from oncotrail.compute import use_threads
{before}
for _ in range(20):
    torch.ones(2**24)
began = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - began)
"""

pytestmark = pytest.mark.usefixtures("threads_as_before")


def test_torch_gets_the_threads_asked_for() -> None:
    use_threads(1)
    assert torch.get_num_threads() == 1
    use_threads(2)
    assert torch.get_num_threads() == 2


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    def drawn(seed: int) -> torch.Tensor:
        with repeatable(seed):
            return torch.rand(5)

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_what_is_random_outside_is_not_disturbed() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    with repeatable(5):
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)


def test_only_repeatable_algorithms_inside_and_the_choice_is_restored_after_a_fault() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    inside = []

    def fail() -> None:
        with repeatable(1):
            inside.append(torch.are_deterministic_algorithms_enabled())
            inside.append(1 / 0)

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == [True]
    assert not torch.are_deterministic_algorithms_enabled()


def test_fresh_memory_is_not_filled_inside_and_the_choice_is_restored_after_a_fault() -> None:
    def fail() -> None:
        with repeatable(1):
            assert not torch.utils.deterministic.fill_uninitialized_memory
            raise ZeroDivisionError

    assert torch.utils.deterministic.fill_uninitialized_memory
    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc, whose allocator this sets")
def test_memory_that_a_step_freed_serves_the_next() -> None:
    kept, given_back = (faults(before) for before in ("use_threads(1)", ""))
    assert kept * 10 < given_back  # a page is 4 KiB, or 2 MiB: the numbers differ, not their ratio


def faults(before: str) -> int:
    words = [sys.executable, "-c", FAULTS.format(before=before)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
