import math
import sys
from dataclasses import replace

import grimp
import numpy as np
import pytest
import torch

from oncotrail.backbones.batches import Examples
from oncotrail.backbones.loop import Epoch, Recipe, _auc, _Best, train
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import score
from oncotrail.compute import use_threads
from oncotrail.errors import TrainingFault
from tests.backbones.made import tiny


def ignore(epoch: Epoch) -> None:
    """Watch nothing."""


def trained_weights(
    training: Examples, validation: Examples, recipe: Recipe
) -> dict[str, torch.Tensor]:
    network = tiny(training.pixels)
    train(network, training, validation, recipe, ignore)
    return network.state_dict()


def test_training_twice_gives_the_same_bits(
    training: Examples, validation: Examples, recipe: Recipe
) -> None:
    one = trained_weights(training, validation, recipe)
    torch.rand(3)  # what else is random in this process must not matter
    two = trained_weights(training, validation, recipe)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.usefixtures("threads_as_before")
def test_in_double_precision_threads_move_nothing_that_is_written(
    training: Examples, validation: Examples, recipe: Recipe
) -> None:
    scores = []
    for threads in (1, 2):
        use_threads(threads)
        network = tiny(training.pixels, precision="float64")
        assert network.dtype == torch.float64
        train(network, training, validation, recipe, ignore)
        scores.append(score(network, validation.pixels).scores)
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_another_seed_draws_other_batches(
    training: Examples, validation: Examples, recipe: Recipe
) -> None:
    one = trained_weights(training, validation, recipe)
    two = trained_weights(training, validation, replace(recipe, seed=6))
    assert not torch.equal(one["to_logit.weight"], two["to_logit.weight"])


def test_it_learns_what_is_there_to_learn(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    done = train(network, training, validation, replace(recipe, epochs=8), ignore)
    assert done.best.validation_auc > 0.95
    assert done.history[-1].train_loss < done.history[0].train_loss


def test_the_network_ends_with_the_weights_of_the_best_epoch(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    """Where validation has nothing to do with the images, more training only makes it worse."""
    unrelated = np.array([0, 0, 1, 1] * 6)
    validation = replace(validation, labels=unrelated)
    longer = replace(recipe, epochs=6)
    done = train(network, training, validation, longer, ignore)
    logits = torch.from_numpy(score(network, validation.pixels).logits)
    labels = torch.from_numpy(validation.labels.astype(float))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, labels, pos_weight=torch.tensor(longer.positive_weight)
    )
    assert done.best.epoch < 6, "the last epoch is the best: the test shows nothing"
    assert loss.item() == pytest.approx(done.best.validation_loss, rel=1e-6)
    assert not network.training


def test_the_history_is_told_epoch_by_epoch(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    told: list[Epoch] = []
    done = train(network, training, validation, recipe, told.append)
    assert tuple(told) == done.history
    assert [epoch.epoch for epoch in told] == [1, 2, 3]
    assert [epoch.learning_rate for epoch in told] == [3e-3, 3e-3, 1.5e-3]
    assert all(math.isfinite(value) for epoch in told for value in vars(epoch).values())


def test_the_patients_recorded_are_those_drawn(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    done = train(network, training, validation, recipe, ignore)
    assert done.drawn == dict.fromkeys(training.patients, recipe.epochs)


def test_a_patient_with_two_images_is_drawn_twice_as_often(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    twice = replace(training, patients=(training.patients[1], *training.patients[1:]))
    done = train(network, twice, validation, recipe, ignore)
    assert done.drawn[training.patients[1]] == 2 * recipe.epochs
    assert training.patients[0] not in done.drawn


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    with torch.no_grad():
        network.to_logit.bias.fill_(math.nan)
    with pytest.raises(TrainingFault, match=r"the loss is nan in epoch 1") as fault:
        train(network, training, validation, replace(recipe, batch_size=33), ignore)
    assert all(patient in str(fault.value) for patient in training.patients)


def test_a_validation_loss_that_is_not_finite_stops(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    """The last step of an epoch can break the weights after its own loss was fine."""
    breaks = replace(recipe, batch_size=33, learning_rate=1e37)
    with pytest.raises(TrainingFault, match=r"validation loss is .* after epoch 1"):
        train(network, training, validation, breaks, ignore)


@pytest.mark.parametrize("role", ["training", "validation"])
def test_a_role_of_one_class_is_refused(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe, role: str
) -> None:
    given = {"training": training, "validation": validation}
    given[role] = replace(given[role], labels=np.zeros_like(given[role].labels))
    with pytest.raises(TrainingFault, match=rf"{role} images 0 are positive"):
        train(network, given["training"], given["validation"], recipe, ignore)


def epoch(number: int, *, accuracy: float, auc: float, loss: float) -> Epoch:
    return Epoch(number, 1.0, loss, 0.5, accuracy, auc, 1e-3)


HISTORY = (
    epoch(1, accuracy=0.70, auc=0.60, loss=0.80),
    epoch(2, accuracy=0.75, auc=0.80, loss=0.70),
    epoch(3, accuracy=0.75, auc=0.85, loss=0.60),
    epoch(4, accuracy=0.75, auc=0.85, loss=0.60),
    epoch(5, accuracy=0.60, auc=0.90, loss=0.65),
)


@pytest.mark.parametrize(
    ("by", "best"), [("validation_accuracy", 3), ("validation_auc", 5), ("validation_loss", 3)]
)
def test_the_best_epoch_is_by_the_figure_then_by_loss_then_the_earliest(
    network: EmbeddingNetwork, recipe: Recipe, by: str, best: int
) -> None:
    chosen = _Best(replace(recipe, best_epoch_by=by))
    for figures in HISTORY:
        with torch.no_grad():
            network.to_logit.bias.fill_(figures.epoch)
        chosen.consider(figures, network)
    assert chosen.epoch == best
    assert chosen.weights["to_logit.bias"].item() == best


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.1, 0.2, 0.3, 0.4), 1.0), ((0.4, 0.3, 0.2, 0.1), 0.0), ((0.1, 0.3, 0.3, 0.2), 0.625)],
)
def test_auc_counts_pairs_and_halves_ties(scores: tuple[float, ...], expected: float) -> None:
    positive = np.array([False, False, True, True])
    assert _auc(np.array(scores), positive) == expected


def test_the_loop_needs_torch_timm_and_numpy_alone() -> None:
    graph = grimp.build_graph("oncotrail", include_external_packages=True, cache_dir=None)
    needed = graph.find_upstream_modules("oncotrail.backbones.loop")
    outside = {name for name in needed if not name.startswith("oncotrail")}
    assert outside - sys.stdlib_module_names == {"torch", "timm", "numpy"}
