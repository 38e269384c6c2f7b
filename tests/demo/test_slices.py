from itertools import product

import numpy as np
import pytest

from oncotrail.demo import abdomen, chest, slices
from oncotrail.demo.anatomy import MUSCLE, Subject
from oncotrail.demo.canvas import SIDE
from oncotrail.demo.people import MOST_SPREADS, VISCERAL, Tissue
from oncotrail.demo.people import MUSCLE as PECTORAL
from oncotrail.demo.scanner import SCANNERS

SPACING = SCANNERS[0].spacing
PIXEL = SPACING**2 / 100
AVERAGE = Subject(muscle_cm2=30.0, visceral_cm2=90.0, fatness=0.0, frame=0.0)


def area(hu: np.ndarray, value: float) -> float:
    return float(np.isclose(hu, value).sum()) * PIXEL


def extremes(tissue: Tissue) -> tuple[float, float]:
    """The least and the most of a tissue that a patient has."""
    reach = MOST_SPREADS * tissue.spread
    return min(tissue.usual, tissue.at_risk) - reach, max(tissue.usual, tissue.at_risk) + reach


@pytest.mark.parametrize("place", range(5))
def test_t4_shows_exactly_the_muscle_area(place: int) -> None:
    subject = Subject(muscle_cm2=22.0, visceral_cm2=90.0, fatness=0.5, frame=-0.5)
    density = MUSCLE + chest.LEAN * (22.0 - 34)
    hu = slices.anatomy(1, place, "t4", subject, SPACING).hu
    assert area(hu, density) == pytest.approx(22.0, abs=2 * PIXEL)


@pytest.mark.parametrize("place", range(5))
def test_t11_shows_exactly_the_visceral_fat_area(place: int) -> None:
    subject = Subject(muscle_cm2=30.0, visceral_cm2=130.0, fatness=0.5, frame=-0.5)
    hu = slices.anatomy(1, place, "t11", subject, SPACING).hu
    assert area(hu, abdomen.VISCERAL_FAT) == pytest.approx(130.0, abs=2 * PIXEL)


def test_each_view_shows_its_own_tissue_only() -> None:
    """So a column set knows no more than `attainable` says: T4 is blind to visceral fat."""
    fatter = Subject(muscle_cm2=30.0, visceral_cm2=200.0, fatness=0.0, frame=0.0)
    stronger = Subject(muscle_cm2=55.0, visceral_cm2=90.0, fatness=0.0, frame=0.0)
    for view, other in (("t4", fatter), ("t11", stronger)):
        one = slices.anatomy(1, 0, view, AVERAGE, SPACING).hu
        assert (one == slices.anatomy(1, 0, view, other, SPACING).hu).all()


@pytest.mark.parametrize(
    ("fatness", "frame"), list(product((-2.75, 0.0, 4.2), (-3.0, 3.0))), ids=str
)
def test_the_most_extreme_bodies_have_room(fatness: float, frame: float) -> None:
    for muscle, visceral in zip(extremes(PECTORAL), extremes(VISCERAL), strict=True):
        subject = Subject(muscle, visceral, fatness, frame)
        for view in slices.PAINTERS:
            assert slices.anatomy(1, 0, view, subject, SPACING).hu.max() > 300


@pytest.mark.parametrize("view", slices.PAINTERS)
def test_a_slice_holds_the_tissues_of_a_body(view: str) -> None:
    hu = slices.anatomy(1, 0, view, AVERAGE, SPACING).hu
    shares = {
        "air": (hu < -950).mean(),
        "lung": ((hu > -950) & (hu < -700)).mean(),
        "fat": ((hu > -130) & (hu < -60)).mean(),
        "soft tissue": ((hu > 20) & (hu < 180)).mean(),
        "bone": (hu > 300).mean(),
    }
    assert 0.3 < shares["air"] < 0.8
    assert all(share > 0.004 for share in shares.values()), shares


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_stored_values_rescale_to_the_anatomy(scanner: slices.Scanner) -> None:
    stored = slices.stored(1, 0, "t11", AVERAGE, scanner)
    assert (stored.shape, stored.dtype) == ((SIDE, SIDE), np.int16)
    hu = stored * scanner.slope + scanner.intercept
    truth = slices.anatomy(1, 0, "t11", AVERAGE, scanner.spacing).hu
    liver = truth == abdomen.LIVER
    assert hu[liver].mean() == pytest.approx(abdomen.LIVER, abs=8)
    assert hu[:20, :20].std() < scanner.noise * 1.3  # air is clipped from below
    assert 0.6 * scanner.noise < hu[liver].std() < 1.8 * scanner.noise


def test_patients_are_drawn_differently() -> None:
    one, other = (slices.anatomy(1, place, "t4", AVERAGE, SPACING).hu for place in (0, 1))
    assert (one != other).mean() > 0.02
