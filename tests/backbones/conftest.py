import numpy as np
import pytest

from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import Architecture, EmbeddingNetwork
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.trunks import TrunkPlan
from tests.backbones.made import TINY, squares, tiny


@pytest.fixture
def training() -> Examples:
    return squares(33, 1, "T")


@pytest.fixture
def validation() -> Examples:
    return squares(24, 2, "V")


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        epochs=3,
        batch_size=8,
        loss=Loss("binary_cross_entropy", positive_weight=2.6),
        optimizer=Optimizer("adam", 3e-3),
        schedule=Schedule("step", every=2, factor=0.5),
        augmentation=Augmentation(flips=("horizontal_flip", "vertical_flip")),
        best_epoch_by="validation_loss",
        seed=5,
    )


@pytest.fixture
def network(training: Examples) -> EmbeddingNetwork:
    return tiny(np.asarray(training.inputs))


@pytest.fixture
def plain() -> EmbeddingNetwork:
    """A network whose normalisation is easy to do by hand."""
    by_hand = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    trunk = TrunkPlan("densenet121", TINY, (32, 32))
    return EmbeddingNetwork(Architecture(trunk, HeadPlan(10), by_hand, "float32")).eval()
