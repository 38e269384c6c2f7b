"""Each loss against torch's or torchvision's, on random logits, with its gradient."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from oncotrail.backbones.losses import Loss, flooded_sign
from oncotrail.errors import StudyFileError

GENERATOR = torch.Generator().manual_seed(3)
ONE = torch.randn(17, generator=GENERATOR, dtype=torch.float64) * 3
THREE = torch.randn(17, 3, generator=GENERATOR, dtype=torch.float64) * 3
BINARY = torch.randint(2, (17,), generator=GENERATOR)
CLASSES = torch.randint(3, (17,), generator=GENERATOR)
WEIGHTS = torch.tensor([1.0, 2.5, 0.5], dtype=torch.float64)
EACH = (1.0, 2.5, 0.5)


def with_gradient(of: Any, logits: Tensor) -> tuple[Tensor, Tensor]:
    asked = logits.clone().requires_grad_()
    value = of(asked)
    (gradient,) = torch.autograd.grad(value, asked)
    return value.detach(), gradient


@pytest.mark.parametrize(
    ("loss", "logits", "labels", "theirs"),
    [
        (
            Loss("binary_cross_entropy", positive_weight=2.6),
            ONE,
            BINARY,
            lambda z: functional.binary_cross_entropy_with_logits(
                z, BINARY.double(), pos_weight=torch.tensor(2.6, dtype=torch.float64)
            ),
        ),
        (
            Loss("cross_entropy", class_weights=EACH),
            THREE,
            CLASSES,
            lambda z: functional.cross_entropy(z, CLASSES, weight=WEIGHTS),
        ),
        (Loss("cross_entropy"), THREE, CLASSES, lambda z: functional.cross_entropy(z, CLASSES)),
        (
            Loss("negative_log_likelihood", class_weights=EACH),
            THREE,
            CLASSES,
            lambda z: torch.nn.NLLLoss(weight=WEIGHTS)(torch.nn.LogSoftmax(1)(z), CLASSES),
        ),
        (
            Loss("focal", gamma=1.5, alpha=0.3),
            ONE,
            BINARY,
            lambda z: sigmoid_focal_loss(z, BINARY.double(), 0.3, 1.5, "mean"),
        ),
        (
            Loss("focal", gamma=2.0),
            ONE,
            BINARY,
            lambda z: sigmoid_focal_loss(z, BINARY.double(), -1, 2.0, "mean"),
        ),
    ],
)
def test_a_loss_and_its_gradient_are_torchs(
    loss: Loss, logits: Tensor, labels: Tensor, theirs: Any
) -> None:
    expected = with_gradient(theirs, logits)
    for found in (
        with_gradient(lambda z: loss.mean(z, labels), logits),
        with_gradient(lambda z: loss.terms(z, labels).sum() / loss.weights(labels).sum(), logits),
    ):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def test_focal_of_two_classes_is_focal_of_one_logit() -> None:
    """Softmax over (0, z) is the sigmoid of z."""
    two = torch.stack([torch.zeros_like(ONE), ONE], dim=1)
    binary = Loss("focal", gamma=2.0, alpha=0.25)
    weighted = Loss("focal", gamma=2.0, class_weights=(0.75, 0.25))
    torch.testing.assert_close(weighted.terms(two, BINARY), binary.terms(ONE, BINARY))


def written_out(loss: Loss, p: Tensor) -> Tensor:
    """Focal's formula as it is published, of the probability of what is right."""
    return -((1 - p) ** loss.gamma) * p.log()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_is_its_formula(gamma: float) -> None:
    loss = Loss("focal", gamma=gamma)
    three = torch.softmax(THREE, dim=1).gather(1, CLASSES[:, None])[:, 0]
    one = torch.sigmoid((2 * BINARY - 1) * ONE)
    for found, p in ((loss.terms(THREE, CLASSES), three), (loss.terms(ONE, BINARY), one)):
        torch.testing.assert_close(found, written_out(loss, p), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_what_is_quite_certain_has_a_gradient(gamma: float, dtype: torch.dtype) -> None:
    """1 - p underflows there: torchvision's, at a gamma below 1, is not a number."""
    z = torch.tensor([-800.0, -50.0, 50.0, 800.0], dtype=dtype)
    yes, loss = torch.ones(4, dtype=torch.int64), Loss("focal", gamma=gamma)
    _, theirs = with_gradient(lambda z: sigmoid_focal_loss(z, yes.to(dtype), -1, gamma).sum(), z)
    assert torch.isnan(theirs).any() == (gamma < 1)
    # Of a logit far below 0 the loss is -z, and far above 0 nothing is left to learn.
    for labels, sign in ((yes, 1), (1 - yes, -1)):
        terms = loss.terms(sign * z, labels)
        _, gradient = with_gradient(lambda z, of=labels: loss.terms(z, of).sum(), sign * z)
        torch.testing.assert_close(terms, -z.clamp(max=0), rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(gradient * sign, -(z < 0).to(dtype), rtol=1e-6, atol=1e-6)
        two = torch.stack([torch.zeros_like(z), sign * z], dim=1)
        _, of_two = with_gradient(lambda z, of=labels: loss.terms(z, of).sum(), two)
        torch.testing.assert_close(of_two, torch.stack([-gradient, gradient], dim=1))


def test_focal_without_focus_is_cross_entropy() -> None:
    focal = Loss("focal", gamma=0.0, class_weights=EACH)
    plain = Loss("cross_entropy", class_weights=EACH)
    torch.testing.assert_close(focal.mean(THREE, CLASSES), plain.mean(THREE, CLASSES))


@pytest.mark.parametrize("level", [0.1, 0.5, 5.0])
def test_flooding_turns_the_gradient_as_its_formula_does(level: float) -> None:
    loss = Loss("binary_cross_entropy")
    _, expected = with_gradient(lambda z: (loss.mean(z, BINARY) - level).abs() + level, ONE)
    value, gradient = with_gradient(lambda z: loss.mean(z, BINARY), ONE)
    torch.testing.assert_close(gradient * flooded_sign(value, level), expected)


@pytest.mark.parametrize(
    ("loss", "logits", "said"),
    [
        (Loss("cross_entropy"), ONE, "set head.classes to 2 or more"),
        (Loss("binary_cross_entropy"), THREE, "the head has 3; set head.classes to 1"),
        (Loss("cross_entropy", class_weights=(1.0, 2.0)), THREE, "has 2 numbers and the head 3"),
        (Loss("focal", class_weights=(1.0, 2.0)), ONE, "of one logit weighs by loss.alpha"),
        (Loss("focal", alpha=0.3), THREE, "of several classes weighs by loss.class_weights"),
    ],
)
def test_a_head_that_the_loss_cannot_judge_is_refused(
    loss: Loss, logits: Tensor, said: str
) -> None:
    with pytest.raises(StudyFileError, match=said):
        loss.check(logits)
