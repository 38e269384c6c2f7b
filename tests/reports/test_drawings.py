from hypothesis import given
from hypothesis import strategies as st

from oncotrail.reports.drawings import chart, forest, round_ticks, whole_ticks

FINITE = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@given(FINITE, FINITE)
def test_round_ticks_hold_the_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = round_ticks(low, high)
    slack = 1e-6 * max(1.0, high - low)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert ticks == sorted(set(ticks))
    assert 2 <= len(ticks) <= 9


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_whole_ticks_are_few_and_within(low: int, span: int) -> None:
    ticks = whole_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert ticks[0] == low
    assert ticks[-1] <= low + span


def test_a_curve_lies_in_its_frame_and_higher_is_higher() -> None:
    drawing = chart("a", {"rising": [(1, 0.2), (2, 0.9)]}, "epoch", mark=2, within=(0.0, 1.0))
    (x1, y1), (x2, y2) = (
        tuple(map(float, point.split(","))) for point in drawing.lines[0].points.split()
    )
    assert drawing.left <= x1 < x2 <= drawing.right
    assert drawing.top <= y2 < y1 <= drawing.bottom
    assert drawing.mark is not None
    assert (drawing.mark.at, drawing.mark.label) == (x2, "epoch 2 is kept")


def test_a_single_epoch_is_drawn() -> None:
    drawing = chart("a", {"one": [(1, 0.5)]}, "epoch")
    assert len(drawing.lines[0].points.split()) == 1
    assert [tick.label for tick in drawing.across] == ["1"]


def test_the_line_that_means_nothing_is_always_on_the_scale() -> None:
    drawing = forest("a", {"model": (0.9, 0.8, 0.95)}, chosen="model")
    assert drawing.left <= drawing.nothing < drawing.whiskers[0].low
