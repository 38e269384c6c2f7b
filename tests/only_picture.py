"""What a test sees of an image of one slice."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oncotrail.imaging.decode import ImageSource, pictures_of
from oncotrail.study.pixels import ViewPixels


def only_picture(path: Path, view: ViewPixels) -> NDArray[np.uint8]:
    """Rows x columns [x 3], 0 is black."""
    (picture,) = pictures_of(ImageSource(path), view).pixels
    return np.asarray(picture)
