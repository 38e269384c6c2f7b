import numpy as np

from oncotrail.demo import people
from tests.demo.crowd import Crowd


def test_what_age_and_bmi_leave_open_has_the_declared_variance(crowd: Crowd) -> None:
    body = crowd.people.body
    muscle = body.muscle - people.expected_muscle(body)
    visceral = body.visceral - people.expected_visceral(body)
    assert abs(muscle.var() - people.MUSCLE_GIVEN_BODY) < 0.03
    assert abs(visceral.var() - people.VISCERAL_GIVEN_BODY) < 0.03
    assert abs(np.corrcoef(muscle, visceral)[0, 1]) < 0.03


def test_heavier_patients_have_more_visceral_fat(crowd: Crowd) -> None:
    body = crowd.people.body
    assert 0.3 < np.corrcoef(body.bmi, body.visceral_cm2())[0, 1] < 0.6


def test_hand_measurements_are_about_as_wrong_as_patients_differ(crowd: Crowd) -> None:
    body = crowd.people.body
    assert 0.5 < np.corrcoef(body.muscle, body.measured_muscle)[0, 1] < 0.75


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
