from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.uncertainty.pooling import pool
from tests.reference.tables import breast
from tests.statistics.oracles import agree

DEFINITIONS = {
    "mean": np.mean,
    "median": np.median,
    "maximum": np.max,
    "noisy_or": lambda p: 1 - np.prod(1 - p),
}
every_rule = pytest.mark.parametrize("rule", DEFINITIONS)
images = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([0, 1e-9, 0.1, 0.25, 0.7, 1])),
    min_size=1,
    max_size=25,
)


@every_rule
@given(rows=images)
def test_agrees_with_the_definition(rule: str, rows: list[tuple[int, float]]) -> None:
    ids, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = pool(ids, ids % 2, scores, rule)
    expected = [DEFINITIONS[rule](scores[ids == patient]) for patient in sorted(set(ids))]
    agree(pool, "definition: patient by patient", found.scores, expected, 1e-12)
    assert found.patients.tolist() == sorted(set(ids))
    assert (found.labels == found.patients % 2).all()
    assert found.images.tolist() == [(ids == patient).sum() for patient in sorted(set(ids))]


@every_rule
def test_agrees_with_pandas_on_a_real_table(rule: str) -> None:
    frame = breast()
    frame["patient"] = np.arange(len(frame)) // 2 * 2 + frame["malignant"]
    frame["score"] = frame["mean_smoothness"]
    found = pool(frame["patient"], frame["malignant"], frame["score"], rule)
    theirs = frame.groupby("patient")["score"].agg(lambda p: DEFINITIONS[rule](p.to_numpy()))
    agree(pool, "definition: patient by patient", found.scores, theirs, 1e-12)


@every_rule
@given(rows=images, random=st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(
    rule: str, rows: list[tuple[int, float]], random: Random
) -> None:
    mixed = random.sample(rows, len(rows))
    before, after = (
        pool(*([r[0] for r in t], [0] * len(t), [r[1] for r in t]), rule) for t in (rows, mixed)
    )
    assert after.scores == pytest.approx(before.scores)


@every_rule
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_one_image_is_its_patient(rule: str, scores: list[float]) -> None:
    found = pool(range(len(scores)), [1] * len(scores), scores, rule)
    assert found.scores == pytest.approx(scores, rel=1e-12, abs=0)


def test_a_small_probability_is_not_lost_in_noisy_or() -> None:
    found = pool(["a", "a"], [0, 0], [1e-20, 3e-20], "noisy_or")
    agree(pool, "definition: 1 - prod(1 - p) by series", found.scores / 4e-20, [1.0])


def test_labels_must_be_constant_within_a_patient() -> None:
    with pytest.raises(ValueError, match="labels: patient P1 has 1 in row 0 and 0 in row 2"):
        pool(["P1", "P2", "P1"], [1, 0, 0], [0.1, 0.2, 0.3])


def test_noisy_or_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match=r"scores: found 1.2 in row 1"):
        pool(["P1", "P1"], [1, 1], [0.1, 1.2], "noisy_or")


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="rule: found 'vote', expected one of mean, median, max"):
        pool(["P1"], [1], [0.1], "vote")  # type: ignore[arg-type]
