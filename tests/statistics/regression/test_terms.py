import numpy as np
import pytest

from oncotrail.statistics.regression.splines import restricted_cubic
from oncotrail.statistics.regression.terms import (
    Levels,
    Linear,
    Spline,
    by_term,
    design,
    labels,
    places,
)
from tests.statistics.oracles import agree

GRADE = Levels("grade", ("1", "2", "3"))
AGE = Spline("age", (35.0, 50.0, 65.0, 80.0))


def test_columns_stand_side_by_side_in_the_order_of_the_terms() -> None:
    values = {"size": [2.0, 3.0], "age": [40.0, 70.0], "grade": ["3", "1"]}
    found = design([Linear("size"), AGE, GRADE], values)
    spline = restricted_cubic([40.0, 70.0], AGE.knots)
    by_hand = np.column_stack([[2.0, 3.0], spline, [0, 0], [1, 0]])
    agree(design, "definition: columns by hand", found, by_hand)
    terms = [Linear("size"), AGE, GRADE]
    assert labels(terms) == ["size", "age", "age'", "age''", "grade: 2", "grade: 3"]
    stand = places(terms)
    assert list(stand) == ["size", "age", "grade"]
    agree(
        places,
        "definition: columns by hand",
        [*stand["size"], *stand["age"], *stand["grade"]],
        range(6),
    )
    agree(labels, "definition: columns by hand", len(labels(terms)), found.shape[1])


def test_coefficients_are_cut_by_term() -> None:
    parts = by_term([Linear("size"), AGE, GRADE], [1, 2, 3, 4, 5, 6])
    assert [part.tolist() for part in parts] == [[1], [2, 3, 4], [5, 6]]
    agree(by_term, "definition: columns by hand", np.concatenate(parts), [1, 2, 3, 4, 5, 6])
    with pytest.raises(ValueError, match="found 2 coefficients; expected 1 for the terms size"):
        by_term([Linear("size")], [1, 2])


def test_what_a_design_refuses() -> None:
    with pytest.raises(ValueError, match=r"grade: found '4' in row 1; expected one of 1, 2, 3"):
        design([GRADE], {"grade": ["1", "4"]})
    with pytest.raises(ValueError, match="found no values of grade"):
        design([GRADE], {"age": [1]})
    with pytest.raises(ValueError, match=r"values per term \{'size': 2, 'grade': 1\}"):
        design([Linear("size"), GRADE], {"size": [1, 2], "grade": ["1"]})
    with pytest.raises(ValueError, match="size: found nan in row 0"):
        design([Linear("size")], {"size": [np.nan]})
    with pytest.raises(ValueError, match="at least two, each once"):
        Levels("sex", ("f", "f"))
