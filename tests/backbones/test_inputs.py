import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from oncotrail.backbones.inputs import Examples, StoredRows, checked
from oncotrail.errors import ImageFault

ROWS = np.array([7, 2, 2, 5])


@pytest.fixture
def stored(tmp_path: Path) -> NDArray[np.uint8]:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 50, 40), dtype=np.uint8)
    np.save(tmp_path / "t4.npy", pixels)
    mapped: NDArray[np.uint8] = np.load(tmp_path / "t4.npy", mmap_mode="r")
    return mapped


def test_stored_rows_are_those_rows_in_that_order(stored: NDArray[np.uint8]) -> None:
    found = StoredRows(stored, ROWS)
    assert (len(found), found.shape, found.dtype) == (4, (4, 50, 40), np.uint8)
    assert np.array_equal(np.asarray(found), stored[ROWS])
    assert np.array_equal(found[1:3], stored[[2, 2]])
    assert np.array_equal(found[np.array([3, 0])], stored[[5, 7]])
    assert np.array_equal(StoredRows(found, np.array([3]))[:], stored[[5]])


def test_another_process_maps_the_file_again_and_gets_no_pixels_sent(
    stored: NDArray[np.uint8],
) -> None:
    sent = pickle.dumps(StoredRows(stored, ROWS))
    assert len(sent) < 1000 < stored.nbytes
    assert np.array_equal(pickle.loads(sent)[:], stored[ROWS])  # noqa: S301


def test_a_part_of_a_map_is_sent_as_it_is(stored: NDArray[np.uint8]) -> None:
    """It no longer knows where in the file it lies."""
    part = StoredRows(stored[3:], np.array([1, 0]))
    assert np.array_equal(pickle.loads(pickle.dumps(part))[:], stored[[4, 3]])  # noqa: S301


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((2, 4), dtype=np.uint8),
        np.zeros((2, 4, 4), dtype=np.float32),
        np.zeros((2, 4, 4), dtype=np.uint16),
        np.zeros((2, 4, 4, 3, 1), dtype=np.uint8),
    ],
)
def test_what_no_network_sees_is_refused(inputs: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageFault, match=r"expected uint8, images x rows x columns"):
        checked(inputs)
    with pytest.raises(ImageFault):
        Examples(inputs, np.array([0, 1]), ("a", "b")).check("training")


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((2, 4)),
        np.zeros((2, 4), dtype=np.float32),
        np.zeros((2, 4, 4), dtype=np.uint8),
        np.zeros((2, 4, 4, 3), dtype=np.uint8),
    ],
)
def test_features_grey_and_colour_images_are_seen(inputs: NDArray[np.uint8]) -> None:
    checked(inputs)
