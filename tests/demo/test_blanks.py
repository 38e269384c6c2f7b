from dataclasses import fields

import numpy as np

from oncotrail.demo.blanks import Blanks
from tests.demo.crowd import Crowd


def test_every_column_that_may_be_blank_is_blank_somewhere(crowd: Crowd) -> None:
    for column in fields(Blanks):
        assert 0 < getattr(crowd.blanks, column.name).mean() < 0.2, column.name


def test_cea_is_blank_more_often_at_the_second_hospital(crowd: Crowd) -> None:
    second = crowd.people.body.hospital == 1
    assert crowd.blanks.cea[second].mean() > 2 * crowd.blanks.cea[~second].mean()


def test_a_blank_says_nothing_of_the_value(crowd: Crowd) -> None:
    second = crowd.people.body.hospital == 1
    blank, cea = crowd.blanks.cea[second], np.log(crowd.people.tumour.cea[second])
    assert abs(cea[blank].mean() - cea[~blank].mean()) < 0.06
