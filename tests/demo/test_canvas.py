import numpy as np
import pytest

from oncotrail.demo.canvas import AIR, Canvas, Ellipse, Pose, rounded_box2

STRAIGHT = Pose(right=0, down=0, turn=0)
ASKEW = Pose(right=9, down=-6, turn=7)


def area_cm2(canvas: Canvas, hu: float) -> float:
    return float((canvas.hu == hu).sum()) * canvas.spacing**2 / 100


@pytest.mark.parametrize("pose", [STRAIGHT, ASKEW])
def test_an_ellipse_has_its_area_wherever_it_lies(pose: Pose) -> None:
    canvas = Canvas(1.5, pose)
    canvas.ellipse(Ellipse(-40, 25, 50, 20, 30), 70.0)
    assert area_cm2(canvas, 70.0) == pytest.approx(np.pi * 5 * 2, rel=0.02)


def test_a_window_round_an_ellipse_cuts_nothing_off() -> None:
    canvas = Canvas(1.5, ASKEW)
    shape = Ellipse(60, -70, 45, 12, -50)
    canvas.ellipse(shape, 70.0)
    assert ((canvas.hu == 70.0) == (shape.radius2(canvas.x, canvas.y) < 1)).all()


def test_an_ellipse_outside_the_field_of_view_paints_nothing() -> None:
    canvas = Canvas(1.5, STRAIGHT)
    canvas.ellipse(Ellipse(900, 0, 20, 20), 70.0)
    assert (canvas.hu == AIR).all()


def test_right_and_down_move_the_body_right_and_down() -> None:
    canvas = Canvas(1.0, Pose(right=20, down=10, turn=0))
    canvas.ellipse(Ellipse(0, 0, 5, 5), 70.0)
    rows, columns = np.nonzero(canvas.hu == 70.0)
    assert rows.mean() == pytest.approx(127.5 + 10, abs=0.5)
    assert columns.mean() == pytest.approx(127.5 + 20, abs=0.5)


def test_paint_area_gives_exactly_the_area_where_it_is_preferred() -> None:
    canvas = Canvas(1.5, ASKEW)
    allowed = rounded_box2(canvas.x, canvas.y, 90, 60) < 1
    chosen = canvas.paint_area(canvas.x, allowed, 33.0, 70.0)
    assert area_cm2(canvas, 70.0) == pytest.approx(33.0, abs=canvas.spacing**2 / 100)
    assert canvas.x[chosen].min() >= canvas.x[allowed & ~chosen].max()


def test_paint_area_refuses_what_has_no_room() -> None:
    canvas = Canvas(1.5, STRAIGHT)
    allowed = Ellipse(0, 0, 10, 10).radius2(canvas.x, canvas.y) < 1
    with pytest.raises(ValueError, match=r"room for 3\.\d cm2, but 33\.0 were asked for"):
        canvas.paint_area(canvas.x, allowed, 33.0, 70.0)


def test_waves_are_a_standard_field_of_their_length() -> None:
    canvas = Canvas(1.0, STRAIGHT)
    fields = [canvas.waves(np.random.default_rng(seed), 16) for seed in range(30)]
    assert abs(np.mean(fields)) < 0.05
    assert np.std(fields) == pytest.approx(1, abs=0.1)
    half_a_wave_apart = np.mean(
        [(f[:-8] * f[8:]).mean() + (f[:, :-8] * f[:, 8:]).mean() for f in fields]
    )
    assert half_a_wave_apart < 0.4
