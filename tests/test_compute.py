import pytest
import torch

from oncotrail.compute import repeatable, use_threads

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
