"""The pure schedules against torch's, which remember."""

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from oncotrail.backbones.schedules import Moment, Schedule, learning_rate

RATE, EPOCHS, BATCHES = 0.1, 20, 5
LOSSES = np.random.default_rng(4).normal(1.0, 0.2, EPOCHS).tolist()


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)


def ours(schedule: Schedule, epoch: int, batch: int = 0) -> float:
    return learning_rate(schedule, RATE, Moment(epoch, EPOCHS, batch, BATCHES, LOSSES[:epoch]))


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (Schedule("step", every=3, factor=0.3), lambda o: lr_scheduler.StepLR(o, 3, 0.3)),
        (
            Schedule("cosine", minimum=0.01),
            lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.01),
        ),
        (Schedule("constant"), lambda o: lr_scheduler.LambdaLR(o, lambda _: 1.0)),
        (
            Schedule("plateau", factor=0.5, patience=2, minimum=0.02),
            lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=2, min_lr=0.02),
        ),
    ],
)
def test_an_epochs_rate_is_torchs(schedule: Schedule, theirs: object) -> None:
    steps = optimizer()
    scheduler = theirs(steps)  # type: ignore[operator]
    for epoch in range(EPOCHS):
        expected = steps.param_groups[0]["lr"]
        assert ours(schedule, epoch) == pytest.approx(expected, rel=1e-12)
        assert ours(schedule, epoch, BATCHES - 1) == ours(schedule, epoch), "one rate an epoch"
        steps.step()
        scheduler.step(*([LOSSES[epoch]] if schedule.kind == "plateau" else []))
    assert schedule.kind == "constant" or ours(schedule, EPOCHS - 1) < RATE / 2


def test_a_step_schedule_has_torchs_last_digit() -> None:
    """0.1 * 0.3 * 0.3 and 0.1 * 0.09 are two numbers, and the published recipe used the first."""
    steps = optimizer()
    scheduler = lr_scheduler.StepLR(steps, 3, 0.3)
    for epoch in range(EPOCHS):
        assert ours(Schedule("step", every=3, factor=0.3), epoch) == steps.param_groups[0]["lr"]
        steps.step()
        scheduler.step()


def test_the_warm_up_is_torchs_linear_one_batch_by_batch() -> None:
    steps, warm = optimizer(), 3 * BATCHES
    scheduler = lr_scheduler.LinearLR(steps, 1 / warm, 1.0, warm - 1)
    schedule = Schedule("cosine", warm_up=3)
    for step in range(warm):
        expected = steps.param_groups[0]["lr"]
        assert ours(schedule, step // BATCHES, step % BATCHES) == pytest.approx(expected)
        steps.step()
        scheduler.step()
    assert ours(schedule, 3) == RATE, "then the schedule starts from the top"


@pytest.mark.parametrize("kind", ["step", "cosine", "plateau", "constant"])
def test_after_the_warm_up_the_schedule_is_the_same_but_later(kind: str) -> None:
    bare = Schedule(kind, every=2, factor=0.5, patience=1)  # type: ignore[arg-type]
    warmed = Schedule(kind, every=2, factor=0.5, patience=1, warm_up=4)  # type: ignore[arg-type]
    for epoch in range(EPOCHS - 4):
        early = Moment(epoch, EPOCHS - 4, 0, BATCHES, LOSSES[4 : 4 + epoch])
        late = Moment(epoch + 4, EPOCHS, 0, BATCHES, LOSSES[: 4 + epoch])
        assert learning_rate(warmed, RATE, late) == learning_rate(bare, RATE, early)
