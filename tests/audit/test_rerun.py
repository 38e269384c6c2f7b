"""How much is looked at again: bounded, the same on every machine, the judged ones first."""

import pandas as pd

from oncotrail.audit.rerun import differ, drawn


def pictures(patients: int, each: int = 1) -> pd.DataFrame:
    """`each` slices of one image of every patient."""
    rows = [(f"{n}", f"{n}-t4", slice_) for n in range(patients) for slice_ in range(each)]
    return pd.DataFrame(rows, columns=["patient", "image", "slice"])


def test_of_many_images_the_same_ones_are_drawn() -> None:
    images = pictures(200)
    chosen = drawn(images, 30)["image"].tolist()
    assert len(chosen) == 30
    assert chosen == drawn(images.sample(frac=1, random_state=1), 30)["image"].tolist()
    assert chosen != sorted(images["image"])[:30]


def test_patients_are_drawn_with_all_their_pictures() -> None:
    chosen = drawn(pictures(50, each=4), 30)
    assert chosen.groupby("patient").size().tolist() == [4] * 7


def test_the_judged_come_first_and_the_others_differ_from_part_to_part() -> None:
    images, judged = pictures(200), [f"{number}" for number in range(100, 120)]
    one, other = (set(drawn(images, 30, part, judged)["patient"]) for part in ("fold0", "fold1"))
    assert set(judged) <= one & other
    assert one != other
    assert len(one) == len(other) == 30


def test_somebody_is_always_drawn() -> None:
    assert len(drawn(pictures(5, each=4), 0)) == 4
    assert drawn(pictures(0), 10).empty


def test_a_number_that_is_not_there_differs() -> None:
    again = pd.DataFrame({"score": [0.5, 0.5, 0.5]}).to_numpy()
    said = pd.DataFrame({"score": [0.5, 0.50001, None]}).to_numpy(dtype=float)
    assert differ(again, said, 1e-4).tolist() == [False, False, True]
    assert differ(again, said, 1e-6).tolist() == [False, True, True]
