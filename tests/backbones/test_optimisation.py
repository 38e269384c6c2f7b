from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from oncotrail.backbones.optimisation import (
    MovingAverage,
    Optimizer,
    begun,
    clipped,
    set_learning_rate,
)


def network() -> nn.Sequential:
    built = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))
    generator = torch.Generator().manual_seed(2)
    for weight in built.parameters():
        weight.data = torch.rand(weight.shape, generator=generator)
    return built


def gradient(of: nn.Module) -> None:
    of(torch.arange(12.0).view(3, 4)).square().mean().backward()


@pytest.mark.parametrize(
    ("asked", "theirs"),
    [
        (Optimizer("adam", 0.01, 0.1), lambda w: torch.optim.Adam(w, 0.01, weight_decay=0.1)),
        (Optimizer("adamw", 0.01, 0.1), lambda w: torch.optim.AdamW(w, 0.01, weight_decay=0.1)),
        (
            Optimizer("sgd", 0.01, 0.1, momentum=0.9, nesterov=True),
            lambda w: torch.optim.SGD(w, 0.01, 0.9, weight_decay=0.1, nesterov=True),
        ),
    ],
)
def test_an_optimiser_is_torchs(asked: Optimizer, theirs: Any) -> None:
    one, other = network(), network()
    for steps, of in ((begun(asked, one), one), (theirs(other.parameters()), other)):
        for _ in range(3):
            steps.zero_grad()
            gradient(of)
            steps.step()
    for mine, yours in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, yours)


def test_biases_and_norms_may_go_without_decay() -> None:
    """With no gradient but the decay's, matrices shrink and the rest stays."""
    decayed = network()
    before = [weight.clone() for weight in decayed.parameters()]
    steps = begun(Optimizer("adamw", 0.1, 0.5, decays="matrices"), decayed)
    for weight in decayed.parameters():
        weight.grad = torch.zeros_like(weight)
    steps.step()
    for weight, was in zip(decayed.parameters(), before, strict=True):
        expected = was * 0.95 if was.ndim > 1 else was
        torch.testing.assert_close(weight.detach(), expected.detach())


def test_a_frozen_weight_neither_moves_nor_decays_until_it_is_thawed() -> None:
    frozen = network()
    frozen[0].requires_grad_(requires_grad=False)
    steps = begun(Optimizer("adamw", 0.1, 0.5), frozen)
    before = frozen[0].weight.clone()
    for thawed in (False, True):
        frozen[0].requires_grad_(requires_grad=thawed)
        steps.zero_grad(set_to_none=True)
        gradient(frozen)
        steps.step()
        assert torch.equal(frozen[0].weight, before) is not thawed


def test_the_rate_of_the_next_step_is_the_one_set() -> None:
    steps = begun(Optimizer("sgd", 0.1, decays="matrices"), network())
    set_learning_rate(steps, 0.02)
    assert [group["lr"] for group in steps.param_groups] == [0.02, 0.02]


def test_a_clipped_gradient_has_the_norm_asked_for() -> None:
    of = network()
    gradient(of)
    before = clipped(of, 0.5)
    after = torch.cat([w.grad.flatten() for w in of.parameters() if w.grad is not None]).norm()
    assert before > 0.5
    assert after.item() == pytest.approx(0.5, rel=1e-5)


def test_the_moving_average_is_torchs_once_its_decay_is_reached() -> None:
    """From step 81 on the decay is the constant 0.9."""
    followed = network()
    ours = MovingAverage(followed, 0.9)
    ours.steps = 81
    theirs = AveragedModel(followed, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    theirs.n_averaged += 1  # the first call of torch's copies; ours starts from the weights too
    steps = begun(Optimizer("sgd", 0.05), followed)
    for _ in range(20):
        steps.zero_grad()
        gradient(followed)
        steps.step()
        ours.follow(followed)
        theirs.update_parameters(followed)
    for mine, yours in zip(ours.network.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(mine, yours)
    assert torch.equal(ours.network[1].running_mean, followed[1].running_mean)
    assert not any(weight.requires_grad for weight in ours.network.parameters())


def test_a_young_average_forgets_the_random_start() -> None:
    followed = nn.Linear(1, 1)
    nn.init.zeros_(followed.weight)
    ours = MovingAverage(followed, 0.999)
    nn.init.ones_(followed.weight)
    for _ in range(50):
        ours.follow(followed)
    assert ours.network.weight.item() > 0.99
