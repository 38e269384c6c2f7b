import numpy as np
import pytest
import torch

from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import train
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.optimisation import Optimizer, begun, set_learning_rate
from oncotrail.backbones.thawing import Thaw, Thawing, stages_of
from oncotrail.backbones.trunks import TrunkPlan, build_trunk
from oncotrail.errors import StudyFileError
from tests.backbones.made import TINY, recipe, tiny

PLAN = Thawing(head_epochs=2, last_stages=1, last_epochs=3, last_factor=0.1, rest_factor=0.01)


def ignore(epoch: Epoch) -> None:
    """Watch nothing."""


def learning(network: EmbeddingNetwork, epoch: int) -> set[str]:
    """The parts of the network whose weights learn in this epoch."""
    network.train()
    Thaw(network, PLAN)(epoch)
    names = [name for name, weight in network.named_parameters() if weight.requires_grad]
    return {name.split(".")[2] if name.startswith("trunk") else "head" for name in names}


def test_the_head_learns_first_then_the_end_then_everything(network: EmbeddingNetwork) -> None:
    found = [learning(network, epoch) for epoch in (1, 2, 3, 5, 6)]
    assert found[0] == found[1] == {"head"}
    assert found[2] == found[3] == {"head", "denseblock4", "transition3", "norm5"} - {"transition3"}
    assert found[4] > {"head", "conv0", "denseblock1", "denseblock4"}


def test_what_is_frozen_does_not_even_move_its_statistics(network: EmbeddingNetwork) -> None:
    network.train()
    Thaw(network, PLAN)(1)
    assert not any(part.training for part in network.trunk.modules())
    assert network.head.training
    network.train()
    Thaw(network, PLAN)(3)
    assert not network.trunk.features.norm0.training
    assert network.trunk.features.norm5.training


def test_each_part_has_its_share_of_the_rate(network: EmbeddingNetwork) -> None:
    asked = Optimizer("adam", 1e-3, factors=Thaw(network, PLAN).factors())
    optimizer = begun(asked, network)
    set_learning_rate(optimizer, 0.5)
    rates = {
        id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]
    }
    assert rates[id(network.head.to_logits.weight)] == 0.5
    assert rates[id(network.trunk.features.norm5.weight)] == pytest.approx(0.05)
    assert rates[id(network.trunk.features.conv0.weight)] == pytest.approx(0.005)
    assert len(rates) == len(list(network.parameters()))


def test_equal_shares_leave_one_group(network: EmbeddingNetwork) -> None:
    assert Thaw(network, Thawing()).factors() == {}


def test_training_in_stages_moves_each_part_when_its_time_has_come(
    training: Examples, validation: Examples
) -> None:
    """Of the weights of each epoch: the first two leave the trunk to the bit as it was."""
    seen: list[dict[str, torch.Tensor]] = []
    network = tiny(np.asarray(training.inputs))
    plan = Thawing(head_epochs=1, last_stages=1, last_epochs=1, rest_factor=0.5)
    thaw = Thaw(network, plan)

    def remember(_: Epoch) -> None:
        seen.append({name: value.clone() for name, value in network.state_dict().items()})

    before = {name: value.clone() for name, value in network.state_dict().items()}
    asked = Optimizer("adam", 1e-2, factors=thaw.factors())
    train(network, training, validation, recipe(optimizer=asked), remember, prepare_epoch=thaw)
    moved = [
        {name.split(".")[2] for name in before if not torch.equal(one[name], other[name])}
        for one, other in zip([before, *seen], seen, strict=False)
    ]
    assert moved[0] == {"weight", "bias"}, "the head's"
    assert moved[1] == {"weight", "bias", "denseblock4", "norm5"}
    assert moved[2] > {"conv0", "norm0", "denseblock1", "denseblock4", "norm5"}


def test_a_frozen_trunk_never_moves(training: Examples, validation: Examples) -> None:
    """Not even where images are augmented and it must be run on every batch."""
    network = tiny(np.asarray(training.inputs))
    before = {name: value.clone() for name, value in network.trunk.state_dict().items()}
    asked = recipe(augmentation=Augmentation(flips=("horizontal_flip",)))
    frozen = Thaw(network, Thawing(head_epochs=None))
    train(network, training, validation, asked, ignore, prepare_epoch=frozen)
    after = network.trunk.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("name", "options", "count", "last"),
    [
        ("densenet121", TINY, 5, "features.norm5.weight"),
        ("resnet18", {"layers": (1, 1, 1, 1)}, 5, "layer4.0.bn2.weight"),
        ("vit_tiny_patch16_224", {"depth": 3}, 4, "norm.weight"),
        ("swin_tiny_patch4_window7_224", {"depths": (1, 1, 1, 1)}, 5, "norm.weight"),
        ("torchvision/resnet18", {}, 5, "layer4.1.bn2.weight"),
        ("cifar", {}, 4, "fc.weight"),
    ],
)
def test_a_trunk_has_stages(name: str, options: dict[str, object], count: int, last: str) -> None:
    trunk = build_trunk(TrunkPlan(name, options, (32, 32)))
    stages = stages_of(trunk)
    assert len(stages) == count
    assert last in stages[-1]
    names = [name for stage in stages for name in stage]
    assert sorted(names) == sorted(name for name, _ in trunk.named_parameters())


def test_more_stages_than_there_are_is_an_error(network: EmbeddingNetwork) -> None:
    with pytest.raises(StudyFileError, match=r"last_stages is 9, and the trunk has 5 stages"):
        Thaw(network, Thawing(last_stages=9)).factors()
