import numpy as np
import pytest

from oncotrail.demo import people
from oncotrail.demo.draws import Codes, Floats
from tests.demo.crowd import Crowd

TISSUES = {
    "muscle": (people.MUSCLE, "sarcopenia", "muscle"),
    "visceral fat": (people.VISCERAL, "visceral_obesity", "visceral"),
}


@pytest.fixture(params=TISSUES)
def tissue(
    crowd: Crowd, request: pytest.FixtureRequest
) -> tuple[people.Tissue, Codes, Floats, Floats]:
    """A tissue, the group, the true area and the measured area of each patient."""
    declared, group, area = TISSUES[request.param]
    body = crowd.people.body
    measured: Floats = getattr(body, f"measured_{area}")
    return declared, getattr(body, group), getattr(body, area), measured


def test_each_group_has_its_declared_area(
    tissue: tuple[people.Tissue, Codes, Floats, Floats],
) -> None:
    declared, group, area, _ = tissue
    assert 0.45 < group.mean() < 0.55
    for state, centre in enumerate((declared.usual, declared.at_risk)):
        assert area[group == state].mean() == pytest.approx(centre, rel=0.01)
        assert area[group == state].std() == pytest.approx(declared.spread, rel=0.03)


def test_the_two_groups_are_far_apart_on_the_image(
    tissue: tuple[people.Tissue, Codes, Floats, Floats],
) -> None:
    declared, group, area, _ = tissue
    assert 4 < abs(declared.usual - declared.at_risk) / declared.spread <= 6
    middle = (declared.usual + declared.at_risk) / 2
    beyond = (area > middle) == (declared.at_risk > declared.usual)
    assert (beyond == group).mean() > 0.99


def test_hand_measurements_confuse_the_groups(
    tissue: tuple[people.Tissue, Codes, Floats, Floats],
) -> None:
    _, _, area, measured = tissue
    assert 0.25 < np.corrcoef(area, measured)[0, 1] < 0.45


def test_age_and_bmi_say_how_many_are_at_risk(crowd: Crowd) -> None:
    """In each tenth by what age and BMI say, as many are in the group."""
    body = crowd.people.body
    for declared, group, _ in TISSUES.values():
        chance = declared.chance(body.age, body.bmi)
        for tenth in np.array_split(np.argsort(chance), 10):
            assert abs(getattr(body, group)[tenth].mean() - chance[tenth].mean()) < 0.04


def test_the_groups_hardly_go_along_with_age_bmi_or_each_other(crowd: Crowd) -> None:
    body = crowd.people.body
    pairs = (body.age, body.bmi, body.sarcopenia, body.visceral_obesity)
    together = np.corrcoef(pairs) - np.eye(len(pairs))
    assert np.abs(together).max() < 0.25
    assert abs(together[2, 3]) < 0.04


def test_receptors_agree_with_the_subtype(crowd: Crowd) -> None:
    tumour = crowd.people.tumour
    hormone = (tumour.er + tumour.pr) > 0
    assert (hormone == (tumour.subtype <= 1)).all()
    assert (tumour.her2[tumour.subtype == 0] == 0).all()
    assert (tumour.her2[tumour.subtype == 2] == 1).all()
    assert (tumour.her2[tumour.subtype == 3] == 0).all()


def test_luminal_a_tumours_divide_slowly(crowd: Crowd) -> None:
    tumour = crowd.people.tumour
    medians = [np.median(tumour.ki67[tumour.subtype == subtype]) for subtype in range(4)]
    assert medians == sorted(medians)
    assert (tumour.ki67[tumour.subtype == 0] < 20).mean() > 0.95


def test_hormone_therapy_needs_a_hormone_receptor(crowd: Crowd) -> None:
    tumour, treatment = crowd.people.tumour, crowd.people.treatment
    assert not treatment.endocrine[(tumour.er + tumour.pr) == 0].any()


def test_a_few_are_under_age(crowd: Crowd) -> None:
    young = (crowd.people.body.age < 18).mean()
    assert 0.002 < young < 0.015
