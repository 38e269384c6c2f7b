"""Whom a fit is really of: the fewest roles that explain it."""

import pandas as pd

from oncotrail.audit.finding import Violation
from oncotrail.audit.whose import groups, with_whose

SPLIT = pd.DataFrame(
    {
        "patient": ["A", "B", "C", "D", "E"],
        "role": ["train", "train", "validation", "test", "test"],
        "fits": ["network", "fusion", None, None, None],
    }
)
WRONG = Violation("a scaler", ("B",), "was not fitted on 1 patient", "Fit again.")


def test_groups_are_all_unions_of_roles_fewest_first() -> None:
    found = [(group.name, sorted(group.patients)) for group in groups(SPLIT, {"B", "D", "E"})]
    both = ("fusion and test", ["B", "D", "E"])
    assert found == [("fusion", ["B"]), ("test", ["D", "E"]), both]
    assert len(groups(SPLIT, set(SPLIT["patient"]))) == 15


def test_those_whom_nobody_named_are_named() -> None:
    among = groups(SPLIT, set(SPLIT["patient"]))
    told = with_whose(WRONG, among, lambda patients: patients == {"B", "D", "E"})
    assert told.patients == ("D", "E")
    assert told.says.endswith("; it is that of the 3 fusion and test patients")


def test_a_fit_on_fewer_than_named_names_those() -> None:
    wrong = Violation("a scaler", ("B", "C"), "was not fitted on 2 patients", "Fit again.")
    told = with_whose(wrong, groups(SPLIT, {"B", "C"}), lambda patients: patients == {"C"})
    assert told.patients == ("C",)


def test_a_fit_on_part_of_a_role_stays_unexplained() -> None:
    among = groups(SPLIT, set(SPLIT["patient"]))
    assert with_whose(WRONG, among, lambda patients: patients == {"D"}) == WRONG
