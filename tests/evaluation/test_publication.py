import pandas as pd
import pytest

from oncotrail.errors import StudyFileError
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.publication import compare_with_publication
from oncotrail.evaluation.results import performance_table
from oncotrail.study.question import Published


def published(figures: dict[str, dict[str, float]]) -> Published:
    return Published(reference="a paper", patients=421, figures=figures)


@pytest.fixture
def table(done: Evaluated) -> pd.DataFrame:
    return performance_table(done)


def test_each_published_figure_stands_beside_ours(done: Evaluated, table: pd.DataFrame) -> None:
    asked = published({"both": {"npv": 0.1, "auc": 0.9}, "clinical": {"auc": 0.5}})
    found = compare_with_publication(asked, table, "made")
    assert list(zip(found["model"], found["metric"], found["published"], strict=True)) == [
        ("both", "auc", 0.9),
        ("both", "npv", 0.1),
        ("clinical", "auc", 0.5),
    ]
    best = next(each for each in done.performances if each.model == "made-both")
    assert found["ours"].iloc[0] == pytest.approx(best.roles["test"].auc.value, abs=1e-6)
    assert found["low"].iloc[0] == pytest.approx(best.roles["test"].auc.low, abs=1e-6)
    assert found["patients"].iloc[0] == 30


def test_within_says_whether_our_interval_holds_the_published_figure(table: pd.DataFrame) -> None:
    row = table[(table["model"] == "made-both") & (table["role"] == "test")].iloc[0]
    inside = published({"both": {"auc": (row["low"] + row["high"]) / 2}})
    outside = published({"both": {"auc": row["low"] - 0.01}})
    assert compare_with_publication(inside, table, "made")["within"].tolist() == [True]
    assert compare_with_publication(outside, table, "made")["within"].tolist() == [False]


def test_an_undefined_figure_of_ours_is_missing(table: pd.DataFrame) -> None:
    undefined = table.copy()
    undefined.loc[undefined["metric"] == "ppv", ["value", "low", "high"]] = None
    found = compare_with_publication(published({"both": {"ppv": 0.8}}), undefined, "made")
    assert found[["ours", "low", "high", "within"]].isna().to_numpy().all()


def test_another_role_can_be_asked_for(table: pd.DataFrame) -> None:
    asked = published({"both": {"auc": 0.9}})
    assert compare_with_publication(asked, table, "made", "external")["patients"].tolist() == [20]


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"bothh": {"auc": 0.9}}, "'bothh', which is no model.*Did you mean 'both'"),
        ({"both": {"sensitivty": 0.9}}, "'sensitivty'. Did you mean 'sensitivity'"),
    ],
)
def test_a_name_that_we_do_not_have_is_refused(
    table: pd.DataFrame, figures: dict[str, dict[str, float]], says: str
) -> None:
    with pytest.raises(StudyFileError, match=says):
        compare_with_publication(published(figures), table, "made")
