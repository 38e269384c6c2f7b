import pytest

from oncotrail.backbones.batches import Examples
from oncotrail.backbones.loop import Recipe
from oncotrail.backbones.network import Architecture, EmbeddingNetwork, Normalisation
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
        learning_rate=3e-3,
        weight_decay=0.0,
        step_every=2,
        step_factor=0.5,
        positive_weight=2.6,
        flips=("horizontal_flip", "vertical_flip"),
        best_epoch_by="validation_loss",
        seed=5,
    )


@pytest.fixture
def network(training: Examples) -> EmbeddingNetwork:
    return tiny(training.pixels)


@pytest.fixture
def plain() -> EmbeddingNetwork:
    """A network whose normalisation is easy to do by hand."""
    by_hand = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    return EmbeddingNetwork(Architecture("densenet121", TINY, 10, by_hand, "float32")).eval()
