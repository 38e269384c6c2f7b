import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones.material import Decoded, gather, read_view
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part
from oncotrail.errors import StudyFileError, TableError, TrainingFault

PARTS = {  # patient -> role, fits, label
    "A": ("train", "network", 1),
    "B": ("train", "network", 0),
    "C": ("train", "fusion", 1),
    "D": ("validation", None, 0),
    "E": ("test", None, 1),
    "F": ("external", None, 0),
}
PATIENTS = list(PARTS)


@pytest.fixture
def cohort() -> pd.DataFrame:
    labels = [label for _, _, label in PARTS.values()]
    return pd.DataFrame({"patient": PATIENTS, "metastasis": labels})


@pytest.fixture
def split() -> pd.DataFrame:
    roles, fits, _ = zip(*PARTS.values(), strict=True)
    inner = [0 if role == "train" else None for role in roles]
    frame = {"patient": PATIENTS, "role": roles, "fits": fits, "outer_fold": 0}
    return pd.DataFrame({**frame, "inner_fold": inner})


@pytest.fixture
def decoded() -> Decoded:
    """Image i is all i, and belongs to the patients in another order than the other tables."""
    pixels = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), dtype=np.uint8)
    rows = pd.DataFrame(
        {
            "patient": list("FDBECA"),
            "image": [f"i{n}" for n in range(6)],
            "slice": 0,
            "row": range(6),
        }
    )
    return Decoded("t4", pixels, rows, {"rows": 2, "columns": 2, "window": None})


def test_only_training_patients_marked_for_networks_are_learned_from(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame
) -> None:
    learns = gather(decoded, cohort, split, "metastasis").learns()
    assert sorted(learns.patients) == ["A", "B"]


def test_only_validation_patients_choose(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame
) -> None:
    assert gather(decoded, cohort, split, "metastasis").chooses().patients == ("D",)


def test_everybody_is_there_in_the_order_of_the_pixels(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame
) -> None:
    given = gather(decoded, cohort, split, "metastasis")
    assert list(given.images["patient"]) == list("FDBECA")
    assert given.pixels is decoded.pixels


@pytest.mark.parametrize("seed", range(3))
def test_pixels_label_and_patient_meet_by_id_whatever_the_order_of_rows(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame, seed: int
) -> None:
    shuffled = [frame.sample(frac=1, random_state=seed) for frame in (cohort, split, decoded.rows)]
    given = gather(replace(decoded, rows=shuffled[2]), *shuffled[:2], "metastasis")
    learns = given.learns()
    met = dict(
        zip(
            learns.patients,
            zip(learns.labels, np.asarray(learns.inputs)[:, 0, 0], strict=True),
            strict=True,
        )
    )
    assert met == {"A": (1, 5), "B": (0, 2)}


def test_a_patient_without_an_image_is_named(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame
) -> None:
    fewer = replace(decoded, rows=decoded.rows[decoded.rows["patient"] != "E"])
    with pytest.raises(TrainingFault, match=r"1 patients have no image of view t4, e.g. E"):
        gather(fewer, cohort, split, "metastasis")


def test_an_image_of_nobody_in_the_cohort_is_named(
    decoded: Decoded, cohort: pd.DataFrame, split: pd.DataFrame
) -> None:
    with pytest.raises(TableError, match=r"e.g. C"):
        gather(decoded, cohort[cohort["patient"] != "C"], split, "metastasis")


@pytest.fixture
def crossed() -> pd.DataFrame:
    """Two folds and the whole; F is external, and of the whole alone."""
    rows = [
        (patient, role, fold, inner)
        for fold, roles in enumerate(
            (
                {
                    "A": ("train", 0),
                    "B": ("train", 1),
                    "C": ("test", None),
                    "D": ("validation", None),
                    "E": ("train", 0),
                },
                {
                    "A": ("test", None),
                    "B": ("test", None),
                    "C": ("train", 0),
                    "D": ("validation", None),
                    "E": ("train", 1),
                },
                {
                    "A": ("train", 0),
                    "B": ("train", 1),
                    "C": ("train", 0),
                    "D": ("train", 1),
                    "E": ("validation", None),
                    "F": ("external", None),
                },
            )
        )
        for patient, (role, inner) in roles.items()
    ]
    frame = pd.DataFrame(rows, columns=["patient", "role", "outer_fold", "inner_fold"])
    return frame.assign(fits=["network" if role == "train" else None for role in frame["role"]])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Part(0), ("ABE", "D", "CD")),
        (Part(0, 0), ("B", "D", "AE")),
        (Part(0, 1, 4), ("AE", "D", "B")),
        (Part(1), ("CE", "D", "ABD")),
        (Part(2), ("ABCD", "E", "EF")),
    ],
)
def test_a_part_is_given_its_outer_fold_and_scores_whom_it_did_not_learn_from(
    decoded: Decoded,
    cohort: pd.DataFrame,
    crossed: pd.DataFrame,
    part: Part,
    expected: tuple[str, str, str],
) -> None:
    given = gather(decoded, cohort, crossed, "metastasis", part)
    images, pixels = given.scored(out_of_fold=True)
    found = (given.learns().patients, given.chooses().patients, images["patient"])
    assert tuple("".join(sorted(patients)) for patients in found) == expected
    assert [f"i{value}" for value in np.asarray(pixels)[:, 0, 0]] == list(images["image"])


def test_otherwise_everybody_of_the_fold_is_scored(
    decoded: Decoded, cohort: pd.DataFrame, crossed: pd.DataFrame
) -> None:
    fold, _ = gather(decoded, cohort, crossed, "metastasis", Part(0)).scored(out_of_fold=False)
    assert sorted(fold["patient"]) == list("ABCDE")
    main = gather(decoded, cohort, crossed, "metastasis")
    whole, pixels = main.scored(out_of_fold=False)
    assert list(whole["patient"]) == list("FDBECA")
    assert pixels is decoded.pixels
    assert main.part == Part(2)


@pytest.fixture
def folder(tmp_path: Path, decoded: Decoded) -> Path:
    rows = decoded.rows.assign(view="t4", sha256="0")
    tables.write(tables.PIXELS, rows, tmp_path / "pixels.parquet")
    np.save(tmp_path / "t4.npy", decoded.pixels)
    (tmp_path / "decode.json").write_text(json.dumps({"t4": decoded.made}))
    return tmp_path


def test_a_view_is_read_as_it_was_decoded(folder: Path, decoded: Decoded) -> None:
    found = read_view(folder, "t4")
    assert np.array_equal(found.pixels, decoded.pixels)
    assert found.made == decoded.made
    assert dict(zip(found.rows["row"], found.rows["patient"], strict=True)) == dict(
        enumerate("FDBECA")
    )


def test_a_view_that_was_not_decoded_is_named(folder: Path) -> None:
    with pytest.raises(StudyFileError, match=r"view 't5' was not decoded; .* has t4"):
        read_view(folder, "t5")


def test_pixels_without_a_row_are_a_fault(folder: Path, decoded: Decoded) -> None:
    np.save(folder / "t4.npy", decoded.pixels[:4])
    with pytest.raises(TrainingFault, match=r"t4.npy holds 4 images .* 6 rows"):
        read_view(folder, "t4")
