from dataclasses import replace

import pandas as pd
import pytest

from oncotrail.reports.comparisons import Difference, answer, compared, differences
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.models import Model
from tests.reports import written

CLINICAL = Model("clinical", clinical=True, networks=(), roles={})
BOTH = Model("both", clinical=True, networks=("t4", "t11"), roles={})
FOUND = Difference("clinical", "both", -0.05, -0.09, -0.01, 0.03, 71)


def test_the_difference_is_turned_to_what_pictures_add() -> None:
    assert answer(BOTH, CLINICAL, (FOUND,), 0.95) == (
        "With pictures t4 and t11 added to the clinical record, the AUC changes by +0.050 "
        "(95 % interval +0.010 to +0.090; adjusted p 0.030): more than chance would explain."
    )


def test_the_order_in_which_a_pair_was_compared_does_not_matter() -> None:
    assert answer(BOTH, CLINICAL, (FOUND.turned(),), 0.95) == answer(BOTH, CLINICAL, (FOUND,), 0.95)


def test_an_adjusted_p_above_the_level_is_no_more_than_chance() -> None:
    """The interval may exclude zero where the adjusted p does not: several pairs were compared."""
    said = answer(BOTH, CLINICAL, (replace(FOUND, p_holm=0.06),), 0.95)
    assert said.endswith("no more than chance would explain.")


def test_models_that_rank_alike_have_no_interval() -> None:
    alike = replace(FOUND, value=0.0, low=None, high=None, p_holm=None)
    assert answer(BOTH, CLINICAL, (alike,), 0.95).endswith(
        "+0.000: both models rank the 71 patients alike."
    )
    grid = compared((alike,), "test", "")
    assert grid is not None
    assert [cell.text for cell in grid.rows[0][1:]] == ["+0.000", "\N{EN DASH}"]
    assert all(cell.under for cell in grid.rows[0][1:])


def test_turning_twice_changes_nothing() -> None:
    assert FOUND.turned().turned() == FOUND


def test_a_row_is_the_later_model_of_the_study_file_minus_the_earlier(evidence: Evidence) -> None:
    found = differences(written.STUDY, evidence.comparisons, "external", ["clinical", "both"])
    grid = compared(found, "external", "")
    assert grid is not None
    row = evidence.comparisons.set_index("role").loc["external"]
    assert grid.rows[0][0].text == "both minus clinical"
    assert (row["first"], row["second"]) == ("made-both", "made-clinical")
    assert float(grid.rows[0][1].text) == pytest.approx(row["difference"], abs=5e-4)
    turned = differences(written.STUDY, evidence.comparisons, "external", ["both", "clinical"])
    assert turned == tuple(each.turned() for each in found)
    assert "20 patients of held-out sites" in grid.caption


def test_one_fusion_is_compared_with_nobody(evidence: Evidence) -> None:
    nothing: pd.DataFrame = evidence.comparisons.iloc[:0]
    assert differences(written.STUDY, nothing, "test", []) == ()
    assert compared((), "test", "") is None
