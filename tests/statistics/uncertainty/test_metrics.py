from functools import partial
from random import Random

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as theirs

from oncotrail.statistics.uncertainty import metrics, threshold_metrics
from tests.reference.tables import breast
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree

THRESHOLD = 0.5
PLAIN = {
    metrics.auc: theirs.roc_auc_score,
    metrics.average_precision: theirs.average_precision_score,
    metrics.brier: theirs.brier_score_loss,
}
CALLED = {
    threshold_metrics.accuracy: theirs.accuracy_score,
    threshold_metrics.balanced_accuracy: theirs.balanced_accuracy_score,
    threshold_metrics.sensitivity: theirs.recall_score,
    threshold_metrics.specificity: partial(theirs.recall_score, pos_label=0),
    threshold_metrics.ppv: theirs.precision_score,
    threshold_metrics.npv: partial(theirs.precision_score, pos_label=0),
    threshold_metrics.f1: theirs.f1_score,
    threshold_metrics.mcc: theirs.matthews_corrcoef,
}
AT_THRESHOLD = {of: partial(of, threshold=THRESHOLD) for of in CALLED}
EVERY = {
    **{of: of for of in (*PLAIN, metrics.scaled_brier, metrics.observed_expected)},
    **AT_THRESHOLD,
}
every_figure = pytest.mark.parametrize("figure", EVERY, ids=lambda of: of.__name__)


def sklearns(of: object) -> str:
    function = of.func if isinstance(of, partial) else of
    return f"sklearn.metrics.{function.__name__} {sklearn.__version__}"


def tables() -> dict[str, tuple[NDArray[np.int_], NDArray[np.float64]]]:
    """A real table, many ties, a rare outcome, a tiny one, constant and perfect scores."""
    random = np.random.default_rng(12)
    frame = breast()
    size = frame["mean_radius"].to_numpy()
    rare = (random.random(300) < 0.03).astype(int)
    some = np.array([0, 1] * 10)
    return {
        "breast": (frame["malignant"].to_numpy(), (size - size.min()) / np.ptp(size)),
        "ties": (random.integers(2, size=200), random.integers(6, size=200) / 5),
        "rare": (rare, np.clip(random.normal(0.3 + 0.2 * rare, 0.2), 0, 1)),
        "tiny": (np.array([1, 0, 0]), np.array([0.7, 0.5, 0.2])),
        "constant": (some, np.full(20, 0.5)),
        "perfect": (some, 0.2 + 0.6 * some),
    }


@pytest.mark.parametrize("table", tables())
@pytest.mark.parametrize("figure", PLAIN, ids=lambda of: of.__name__)
def test_agrees_with_scikit_learn_under_weights(figure: object, table: str) -> None:
    labels, scores = tables()[table]
    weights = drawn(labels)
    expected = [PLAIN[figure](labels, scores, sample_weight=row) for row in weights]
    agree(figure, sklearns(PLAIN[figure]), figure(labels, scores, weights), expected, 1e-12)


@pytest.mark.parametrize(
    "table", sorted(tables().keys() - {"constant"})
)  # everybody is called alike
@pytest.mark.parametrize("figure", CALLED, ids=lambda of: of.__name__)
def test_agrees_with_scikit_learn_at_a_threshold(figure: object, table: str) -> None:
    labels, scores = tables()[table]
    called = scores >= THRESHOLD
    defined, expected = [], []
    for row in drawn(labels):
        cells = theirs.confusion_matrix(labels, called, sample_weight=row, labels=[0, 1])
        if (cells.sum(axis=0) > 0).all() and (cells.sum(axis=1) > 0).all():
            defined.append(row)
            expected.append(CALLED[figure](labels, called, sample_weight=row))
    found = AT_THRESHOLD[figure](labels, scores, defined)
    agree(figure, sklearns(CALLED[figure]), found, expected, 1e-12)


def drawn(labels: NDArray[np.int_]) -> NDArray[np.float64]:
    """Weights of 1, whole weights with zeros, and broken ones; both outcomes keep some."""
    random = np.random.default_rng(3)
    whole = random.integers(4, size=(20, labels.size))
    whole[:, [int(np.argmax(labels)), int(np.argmin(labels))]] = 1
    return np.vstack([np.ones(labels.size), whole, random.uniform(0.1, 3, (5, labels.size))])


@given(markers(), st.data())
def test_calibration_figures_agree_with_their_definitions(
    marker: Marker, data: st.DataObject
) -> None:
    labels, probabilities = marker[0], (marker[1] + 2.5) / 5
    drawn = st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels))
    weights = np.array(data.draw(drawn.filter(any)))
    rows = np.repeat(np.arange(len(labels)), weights)
    y, p = labels[rows], probabilities[rows]
    prevalence = y.mean()
    both = 0 < prevalence < 1
    scaled = 1 - ((p - y) ** 2).mean() / (prevalence * (1 - prevalence)) if both else None
    ours = metrics.scaled_brier(labels, probabilities, weights)
    agree(metrics.scaled_brier, "definition: 1 - Brier / p (1 - p)", ours, [scaled], 1e-12)
    ratio = metrics.observed_expected(labels, probabilities, weights)
    agree(metrics.observed_expected, "definition: events / sum of p", ratio, [y.sum() / p.sum()])


def test_weights_are_a_matrix() -> None:
    definition = "definition: one row of weights for each resample"
    agree(metrics.row_weights, definition, metrics.row_weights([1, 0], 2), [[1, 0]])
    agree(metrics.row_weights, definition, metrics.row_weights(None, 3), [[1, 1, 1]])
    found = metrics.ratio(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 4.0]))
    agree(metrics.ratio, "definition: one over the other", found, [0.5, None, 0.75])


@every_figure
@settings(max_examples=15)
@given(marker=markers(), data=st.data())
def test_a_weight_of_two_is_a_row_twice(
    figure: object, marker: Marker, data: st.DataObject
) -> None:
    labels, scores = marker[0], (marker[1] + 2.5) / 5
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    rows = np.repeat(np.arange(len(labels)), times)
    if rows.size:
        once = EVERY[figure](labels[rows], scores[rows])
        assert EVERY[figure](labels, scores, times) == pytest.approx(once, nan_ok=True)


@every_figure
@settings(max_examples=15)
@given(marker=markers(), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(figure: object, marker: Marker, random: Random) -> None:
    labels, scores = marker[0], (marker[1] + 2.5) / 5
    order = random.sample(range(len(labels)), len(labels))
    before, after = EVERY[figure](labels, scores), EVERY[figure](labels[order], scores[order])
    assert after == pytest.approx(before, nan_ok=True)


@given(markers())
def test_only_the_ranking_matters_to_area_and_average_precision(marker: Marker) -> None:
    labels, scores = marker
    for figure in (metrics.auc, metrics.average_precision):
        assert figure(labels, np.exp(3 * scores)) == figure(labels, scores)


@given(markers())
def test_swapping_the_outcome_mirrors_the_area(marker: Marker) -> None:
    labels, scores = marker
    assert metrics.auc(1 - labels, -scores) == pytest.approx(metrics.auc(labels, scores))
    assert metrics.auc(labels, -scores) == pytest.approx(1 - metrics.auc(labels, scores))


UNDEFINED = {
    "auc": [[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]],
    "average_precision": [[1, 1, 0, 0]],
    "accuracy": [[0, 0, 0, 0]],
    "balanced_accuracy": [[0, 0, 1, 1], [1, 1, 0, 0]],
    "sensitivity": [[1, 1, 0, 0]],
    "specificity": [[0, 0, 1, 1]],
    "ppv": [[1, 0, 1, 0]],
    "npv": [[0, 1, 0, 1]],
    "f1": [[1, 0, 0, 0]],
    "mcc": [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]],
    "brier": [[0, 0, 0, 0]],
    "scaled_brier": [[0, 0, 1, 1], [1, 1, 0, 0]],
    "observed_expected": [[0, 0, 0, 0]],
}


@every_figure
def test_a_figure_without_a_denominator_is_not_a_number(figure: object) -> None:
    labels, scores = [0, 0, 1, 1], [0.1, 0.9, 0.2, 0.8]
    found = EVERY[figure](labels, scores, UNDEFINED[figure.__name__])
    assert np.isnan(found).all()


def test_weights_of_another_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 3\); expected resamples x 2 rows"):
        metrics.auc([0, 1], [0.1, 0.2], [1, 1, 1])


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf])
def test_weights_below_0_and_without_end_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="expected finite ones of at least 0"):
        metrics.auc([0, 1], [0.1, 0.2], [1, wrong])
