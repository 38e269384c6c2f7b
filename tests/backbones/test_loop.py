import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import grimp
import numpy as np
import pytest
import torch

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch, judge
from oncotrail.backbones.loop import Trained, train
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.scoring import score
from oncotrail.compute import WeightPrecision, use_threads
from oncotrail.errors import TrainingFault, UserFault
from tests.backbones.made import Said, Small, rows, tiny
from tests.backbones.made import recipe as small_recipe
from tests.backbones.published_loop import train_as_published


def ignore(epoch: Epoch) -> None:
    """Watch nothing."""


def trained_weights(
    training: Examples, validation: Examples, recipe: Recipe
) -> dict[str, torch.Tensor]:
    network = tiny(np.asarray(training.inputs))
    train(network, training, validation, recipe, ignore)
    return network.state_dict()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_published_recipe_trains_as_the_first_trainer_did_to_the_bit(
    training: Examples, validation: Examples, precision: WeightPrecision
) -> None:
    asked = small_recipe(
        epochs=5,
        loss=Loss("binary_cross_entropy", positive_weight=2.6),
        optimizer=Optimizer("adam", 3e-3, weight_decay=1e-3),
        schedule=Schedule("step", every=2, factor=0.3),
        augmentation=Augmentation(flips=("horizontal_flip", "vertical_flip")),
    )
    pixels = np.asarray(training.inputs)
    ours, theirs = (tiny(pixels, precision=precision) for _ in range(2))
    done = train(ours, training, validation, asked, ignore)
    losses = train_as_published(
        theirs,
        training,
        validation,
        epochs=5,
        rate=3e-3,
        decay=1e-3,
        every=2,
        factor=0.3,
        positive_weight=2.6,
        batch_size=8,
        seed=asked.seed,
    )
    assert [epoch.validation_loss for epoch in done.history] == losses
    expected = theirs.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in ours.state_dict().items())


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
        network = tiny(np.asarray(training.inputs), precision="float64")
        assert network.dtype == torch.float64
        train(network, training, validation, recipe, ignore)
        scores.append(score(network, validation.inputs).scores)
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_another_seed_draws_other_batches(
    training: Examples, validation: Examples, recipe: Recipe
) -> None:
    one = trained_weights(training, validation, recipe)
    two = trained_weights(training, validation, replace(recipe, seed=6))
    assert not torch.equal(one["head.to_logits.weight"], two["head.to_logits.weight"])


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
    logits = torch.from_numpy(score(network, validation.inputs).logits)
    labels = torch.from_numpy(validation.labels.astype(float))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, labels, pos_weight=torch.tensor(longer.loss.positive_weight)
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
        network.head.to_logits.bias.fill_(math.nan)
    with pytest.raises(TrainingFault, match=r"the loss is nan in epoch 1") as fault:
        train(network, training, validation, replace(recipe, batch_size=33), ignore)
    assert all(patient in str(fault.value) for patient in training.patients)


def test_a_validation_loss_that_is_not_finite_stops(
    network: EmbeddingNetwork, training: Examples, validation: Examples, recipe: Recipe
) -> None:
    """The last step of an epoch can break the weights after its own loss was fine."""
    breaks = replace(recipe, batch_size=33, optimizer=Optimizer("adam", 1e37))
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


def test_the_loop_needs_torch_timm_and_numpy_alone() -> None:
    graph = grimp.build_graph("oncotrail", include_external_packages=True, cache_dir=None)
    needed = graph.find_upstream_modules("oncotrail.backbones.loop")
    outside = {name for name in needed if not name.startswith("oncotrail")}
    assert outside - sys.stdlib_module_names <= {"torch", "timm", "numpy"}


NOTHING_ELSE = """
import importlib.machinery, importlib.metadata as metadata, re, sys

def needed(name, seen):
    if name not in seen:
        seen.add(name)
        for line in metadata.requires(name) or []:
            if "extra ==" not in line:
                try:
                    needed(re.split(r"[^A-Za-z0-9_.-]", line)[0].lower(), seen)
                except metadata.PackageNotFoundError:
                    pass
    return seen

allowed = set()
for name in ("torch", "timm", "numpy"):
    needed(name, allowed)
packages = metadata.packages_distributions()
allowed = {name for name, of in packages.items() if {one.lower() for one in of} & allowed}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in packages and top not in allowed | {"oncotrail"}:
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        raise ModuleNotFoundError(f"{spec.name} is refused here", name=spec.name)

    def exec_module(self, module):
        raise AssertionError(module)

sys.meta_path.insert(0, Refuse())
try:
    import pandas
except ModuleNotFoundError:
    print("pandas refused")
import numpy as np, timm
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.loop import train
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from tests.backbones.made import tiny

pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32), dtype=np.uint8)
given = Examples(pixels, np.arange(8) % 2, tuple("abcdefgh"))
network = tiny(pixels)
asked = Recipe(1, 4, Loss("binary_cross_entropy"), Optimizer("adamw", 1e-3), seed=1)
print(train(network, given, given, asked, print).best.epoch)
"""


def test_it_trains_where_nothing_else_can_be_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", NOTHING_ELSE], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[:2] == ["pandas", "refused"]
    assert ran.stdout.split()[-1] == "1"


def small(asked: Recipe, **network: Any) -> tuple[dict[str, torch.Tensor], Trained]:
    """A small network trained on cached features; its weights."""
    trained = Small(6, **network)
    classes = max(2, trained.out.out_features)
    given = rows(31, 1, "T", classes), rows(20, 2, "V", classes)
    done = train(trained, *given, asked, ignore)
    return trained.state_dict(), done


@pytest.mark.parametrize(
    "loss",
    [
        Loss("cross_entropy", class_weights=(1.0, 3.0, 0.5)),
        Loss("negative_log_likelihood"),
        Loss("focal", flooding=0.3),
    ],
)
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(mixup=0.5)])
def test_a_batch_in_pieces_is_the_same_batch(loss: Loss, augmentation: Augmentation) -> None:
    asked = small_recipe(loss=loss, augmentation=augmentation, clip_norm=1.0)
    whole, done = small(asked, classes=3)
    pieces, also = small(replace(asked, accumulation=3), classes=3)
    for name, weight in whole.items():
        torch.testing.assert_close(pieces[name], weight, rtol=0, atol=1e-8)
    assert done.history[-1].train_loss == pytest.approx(also.history[-1].train_loss)


def test_flooding_keeps_the_loss_at_its_level() -> None:
    asked = small_recipe(epochs=150, optimizer=Optimizer("adam", 0.01), batch_size=31)
    _, dry = small(asked)
    _, flooded = small(replace(asked, loss=replace(asked.loss, flooding=0.45)))
    assert dry.history[-1].train_loss < 0.35
    assert flooded.history[-1].train_loss == pytest.approx(0.45, abs=0.03)


def test_training_ends_when_nothing_got_better_for_a_while() -> None:
    asked = small_recipe(epochs=200, optimizer=Optimizer("adam", 0.05), patience=3)
    _, done = small(asked)
    assert len(done.history) == done.best.epoch + 3 < 200


def test_the_moving_average_is_what_is_judged_and_kept() -> None:
    asked = small_recipe(epochs=1, average_decay=0.95, batch_size=31)
    weights, done = small(asked)
    begun = Small(6).state_dict()
    moved, _ = small(replace(asked, average_decay=None))
    decay = 2 / 11  # of the first step
    for name, weight in weights.items():
        expected = decay * begun[name] + (1 - decay) * moved[name]
        torch.testing.assert_close(weight, expected)
    kept = Small(6)
    kept.load_state_dict(weights)
    given = rows(20, 2, "V")
    judged = judge(
        score(kept, given.inputs).logits, given.labels, given.patients, asked.loss, "mean"
    )
    assert judged.loss == pytest.approx(done.best.validation_loss)


def test_the_weighted_sampler_counts_whom_it_drew() -> None:
    _, done = small(small_recipe(sampler="weighted"))
    assert sum(done.drawn.values()) == 3 * 31
    assert len(set(done.drawn.values())) > 1


def test_the_rate_falls_and_climbs_as_scheduled() -> None:
    schedule = Schedule("cosine", minimum=1e-4, warm_up=2)
    _, done = small(small_recipe(epochs=5, schedule=schedule))
    rates = [epoch.learning_rate for epoch in done.history]
    assert rates[:3] == pytest.approx([0.005, 0.01, 0.01])
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_each_epoch_is_prepared_by_its_number_and_frozen_weights_stay() -> None:
    network, numbers = Small(6), []
    before = network.hidden.weight.clone()

    def prepare(number: int) -> None:
        assert network.training
        numbers.append(number)
        network.hidden.requires_grad_(requires_grad=number > 3)

    given = rows(31, 1, "T"), rows(20, 2, "V")
    train(network, *given, small_recipe(epochs=3), ignore, prepare_epoch=prepare)
    assert numbers == [1, 2, 3]
    assert torch.equal(network.hidden.weight, before)


class Hungry(Small):
    """Needs an absurd amount of memory for more than so many images: torch's own error."""

    fits = 8

    def forward(self, inputs: torch.Tensor) -> Said:
        if len(inputs) > self.fits:
            torch.empty(2**50, dtype=torch.uint8)
        return super().forward(inputs)


@pytest.mark.parametrize(
    ("fits", "accumulation", "said"),
    [
        (
            8,
            1,
            r"16 images at once need more memory than cpu has; 8 fitted. Set .*accumulation to 2",
        ),
        (4, 2, r"8 images at once .*; 4 fitted. Set .*accumulation to 4"),
        (1, 1, r"16 images at once .*, and so do 8; set the network's batch_size to 4 or less"),
    ],
)
def test_out_of_memory_says_what_would_have_fitted(fits: int, accumulation: int, said: str) -> None:
    network = Hungry(6)
    network.fits = fits
    given = rows(32, 1, "T"), rows(20, 2, "V")
    asked = small_recipe(batch_size=16, accumulation=accumulation)
    with pytest.raises(TrainingFault, match=said):
        train(network, *given, asked, ignore)


def test_another_runtime_error_is_not_taken_for_a_lack_of_memory() -> None:
    given = rows(32, 1, "T", features=5), rows(20, 2, "V", features=5)
    with pytest.raises(RuntimeError, match=r"mat1 and mat2"):
        train(Small(6), *given, small_recipe(), ignore)


def test_bfloat16_learns_with_weights_and_loss_in_float32() -> None:
    network = Small(6, dtype=torch.float32)
    given = [
        replace(one, inputs=np.float32(one.inputs)) for one in (rows(31, 1, "T"), rows(20, 2, "V"))
    ]
    machine = OneDevice(precision="bfloat16")
    done = train(network, *given, small_recipe(epochs=30), ignore, accelerator=machine)
    assert network.hidden.weight.dtype == torch.float32
    assert done.best.validation_auc > 0.6
    assert done.history[-1].train_loss < done.history[0].train_loss


def test_a_device_that_is_not_there_is_refused() -> None:
    given = rows(31, 1, "T"), rows(20, 2, "V")
    machine = OneDevice(f"cuda:{torch.cuda.device_count()}")
    with pytest.raises(UserFault, match=r"write cpu in params.yaml"):
        train(Small(6), *given, small_recipe(), ignore, accelerator=machine)
