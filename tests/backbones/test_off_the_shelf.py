from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.estimated import ESTIMATOR, read_estimated, write_estimated
from oncotrail.backbones.features import features_of, kept_features, pooled
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.network import EmbeddingNetwork, start
from oncotrail.backbones.off_the_shelf import EstimatorPlan, estimated, logistic_curve
from oncotrail.backbones.sources import Wanted
from oncotrail.errors import ModelFault, StudyFileError, TrainingFault
from tests.backbones.made import TINY, rows, squares

SVM = EstimatorPlan("sklearn.svm.SVC", {"C": 0.5, "kernel": "linear"})
TRAINING = rows(60, 1, "T")
HERE = OneDevice(precision="float64")


def shelf(name: str, images: Examples, **options: Any) -> EmbeddingNetwork:
    return start(
        name,
        options,
        HeadPlan(None),
        weights=Wanted("none"),
        training=images.inputs,
        seed=2,
        precision="float64",
    ).network


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)))


def test_probabilities_are_scikit_learns_platt_scaling() -> None:
    """CalibratedClassifierCV with one estimator and the same folds; its optimiser stops earlier."""
    found = estimated(SVM, TRAINING, seed=4)
    features, labels = np.asarray(TRAINING.inputs), TRAINING.labels
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=4)
    given = list(folds.split(features, labels, groups=np.asarray(TRAINING.patients)))
    pipeline = make_pipeline(StandardScaler(), SVC(C=0.5, kernel="linear"))
    theirs = CalibratedClassifierCV(pipeline, cv=given, ensemble=False).fit(features, labels)
    others = np.asarray(rows(40, 2, "V").inputs)
    expected = theirs.predict_proba(others)[:, 1]
    np.testing.assert_allclose(sigmoid(found.logits(others)), expected, atol=1e-4)


def test_scaling_is_the_training_rows_own() -> None:
    found = estimated(SVM, TRAINING, seed=4)
    scaler = found.pipeline[0]
    np.testing.assert_allclose(scaler.mean_, np.asarray(TRAINING.inputs).mean(axis=0))


def test_images_of_a_patient_are_never_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """One patient's images repeat each other: in-sample scores would be far too sure."""
    sides: list[set[str]] = []
    split = StratifiedGroupKFold.split

    def watched(self: Any, features: Any, labels: Any, groups: Any) -> Any:
        for rest, held_out in split(self, features, labels, groups):
            sides.append(set(groups[rest]) & set(groups[held_out]))
            yield rest, held_out

    monkeypatch.setattr(StratifiedGroupKFold, "split", watched)
    estimated(SVM, TRAINING, seed=4)
    assert sides == [set()] * 5


def test_separated_scores_have_a_finite_curve() -> None:
    labels = np.repeat([0, 1], 10)
    slope, intercept = logistic_curve(labels * 2.0 - 1, labels)
    assert sigmoid(slope + intercept) == pytest.approx(11 / 12)
    assert sigmoid(-slope + intercept) == pytest.approx(1 / 12)


def test_scores_that_do_not_differ_are_refused() -> None:
    with pytest.raises(TrainingFault, match=r"gives every training patient the same score"):
        logistic_curve(np.ones(8), np.arange(8) % 2)


@pytest.mark.parametrize(
    "plan",
    [
        SVM,
        EstimatorPlan("sklearn.svm.LinearSVC", {"C": 0.1}),
        EstimatorPlan("sklearn.linear_model.LogisticRegression", {}),
        EstimatorPlan("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 20}),
        EstimatorPlan("sklearn.neighbors.KNeighborsClassifier", {}),
        EstimatorPlan("sklearn.ensemble.GradientBoostingClassifier", {"n_estimators": 5}),
        EstimatorPlan("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 5}),
        EstimatorPlan("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", {}),
    ],
    ids=lambda plan: plan.name.split(".")[-1],
)
def test_an_estimator_from_disk_is_the_one_that_was_fitted(
    plan: EstimatorPlan, tmp_path: Path
) -> None:
    fitted = estimated(plan, TRAINING, seed=4)
    others = np.asarray(rows(20, 3, "V").inputs)
    written = write_estimated(fitted, tmp_path)
    first = (tmp_path / ESTIMATOR).read_bytes()
    assert np.array_equal(read_estimated(written, tmp_path).logits(others), fitted.logits(others))
    assert write_estimated(estimated(plan, TRAINING, seed=4), tmp_path).sha256 == written.sha256
    assert (tmp_path / ESTIMATOR).read_bytes() == first, "the same fit is the same bytes"
    labels = rows(20, 3, "V").labels
    assert np.mean((fitted.logits(others) > 0) == labels) >= 0.6


def test_another_file_is_refused(tmp_path: Path) -> None:
    written = write_estimated(estimated(SVM, TRAINING, seed=4), tmp_path)
    (tmp_path / ESTIMATOR).write_bytes(b"something else")
    with pytest.raises(ModelFault, match=r"not the one that was fitted. Run the train stage"):
        read_estimated(written, tmp_path)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (replace(SVM, name="sklearn.svm.SVX"), r"sklearn.svm.SVX is not in scikit-learn"),
        (replace(SVM, name="subprocess.Popen"), r"subprocess.Popen is not in scikit-learn"),
        (replace(SVM, options={"D": 1}), r"sklearn.svm.SVC cannot be built with \{'D': 1\}"),
        (EstimatorPlan("sklearn.linear_model.Ridge", {}), r"Ridge is no classifier"),
    ],
)
def test_what_is_no_classifier_of_scikit_learn_is_refused(plan: EstimatorPlan, says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        estimated(plan, TRAINING, seed=4)


def test_a_fit_that_has_not_converged_stops() -> None:
    plan = EstimatorPlan("sklearn.linear_model.LogisticRegression", {"max_iter": 1, "C": 1e6})
    with pytest.raises(TrainingFault, match=r"has not converged .* raise its max_iter"):
        estimated(plan, TRAINING, seed=4)


def test_too_few_patients_for_the_folds_are_counted() -> None:
    few = Examples(TRAINING.inputs[:12], TRAINING.labels[:12], TRAINING.patients[:12])
    with pytest.raises(TrainingFault, match=r"3 are negative and 3 positive; each of 5 folds"):
        estimated(SVM, few, seed=4)


def test_a_map_gives_each_channels_largest_value() -> None:
    maps = torch.rand(2, 3, 4, 5)
    assert torch.equal(pooled(maps, "a"), maps.flatten(2).max(dim=2).values)
    last = maps.permute(0, 2, 3, 1)
    assert torch.equal(pooled(last, "a", ends_in_channels=True), pooled(maps, "a"))
    tokens = torch.rand(2, 7, 3)
    assert torch.equal(pooled(tokens, "a"), tokens.max(dim=1).values)
    with pytest.raises(StudyFileError, match=r"layer a gives no numbers, tokens or maps"):
        pooled((maps, maps), "a")


def test_features_of_layers_stand_side_by_side(training: Examples) -> None:
    network = shelf("densenet121", training, **TINY)
    layers = ("features.conv0", "features.denseblock2", "features.norm5")
    found = next(features_of(network, training.inputs, HERE, layers))
    seen: list[torch.Tensor] = []
    network.trunk.features.denseblock2.register_forward_hook(lambda *of: seen.append(of[-1]))
    with torch.inference_mode():
        network.features(torch.from_numpy(np.asarray(training.inputs)))
    widths = [network.trunk.features.conv0.out_channels, seen[0].shape[1]]
    middle = found[:, widths[0] : sum(widths)]
    torch.testing.assert_close(middle, seen[0].amax(dim=(2, 3)))
    assert found.shape[1] == sum(widths) + network.trunk.features.norm5.num_features


@pytest.mark.parametrize(
    ("name", "options", "layer", "width"),
    [
        ("swin_tiny_patch4_window7_224", {"depths": (1, 1, 1, 1)}, "layers.1", 192),
        ("swin_tiny_patch4_window7_224", {"depths": (1, 1, 1, 1)}, "patch_embed.proj", 96),
        ("vit_tiny_patch16_224", {"depth": 1}, "blocks.0", 192),
        ("cifar", {}, "features.block2", 32),
        ("cifar", {}, "fc", 64),
    ],
)
def test_a_layer_has_as_many_features_as_channels(
    name: str, options: dict[str, Any], layer: str, width: int, training: Examples
) -> None:
    network = shelf(name, training, **options)
    found = next(features_of(network, training.inputs, HERE, [layer]))
    assert found.shape == (33, width)


def test_a_layer_that_is_not_there_names_those_near_it(training: Examples) -> None:
    network = shelf("cifar", training)
    with pytest.raises(StudyFileError, match=r"no layer 'features.blok2'; near it: features.block"):
        next(features_of(network, training.inputs, HERE, ["features.blok2"]))


def test_no_hook_is_left_behind(training: Examples) -> None:
    network = shelf("cifar", training)
    next(features_of(network, training.inputs, HERE, ["fc"]))
    assert not any(part._forward_hooks for part in network.modules())
    assert isinstance(network.trunk.fc, nn.Linear)


def test_a_random_network_off_the_shelf_tells_squares_from_noise(tmp_path: Path) -> None:
    learns, chooses = squares(60, 1, "T"), squares(24, 2, "V")
    network = shelf("cifar", learns)
    kept = [
        kept_features(network, of.inputs, tmp_path, HERE, ["features.block1", "fc"])
        for of in (learns, chooses)
    ]
    assert len(list(tmp_path.iterdir())) == 2
    fitted = estimated(SVM, Examples(kept[0], learns.labels, learns.patients), seed=4)
    assert np.mean((fitted.logits(kept[1]) > 0) == chooses.labels) > 0.9
