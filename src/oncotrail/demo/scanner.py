"""The two hospitals' scanners: field of view, sharpness, noise, and how numbers are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from oncotrail.demo.canvas import Floats


@dataclass(frozen=True)
class Scanner:
    """One CT scanner. Stored value * slope + intercept are Hounsfield units."""

    manufacturer: str
    model: str
    station: str
    serial: str
    institution: str
    slope: float
    intercept: float
    spacing: float  # millimetres, both ways
    thickness: float  # millimetres
    kernel: str
    blur: float  # pixels
    noise: float  # Hounsfield units


SCANNERS: Final = (  # by hospital, in the order of people.HOSPITALS
    Scanner(
        manufacturer="Invented Imaging",
        model="Axial 64",
        station="NBCT1",
        serial="INV-0064-17",
        institution="North Bank Hospital (invented)",
        slope=1.0,
        intercept=-1024.0,
        spacing=1.484375,
        thickness=5.0,
        kernel="SOFT",
        blur=0.75,
        noise=13.0,
    ),
    Scanner(
        manufacturer="Nowhere Medical",
        model="Helix 16",
        station="SCCT2",
        serial="NWM-16-0302",
        institution="South Cliff Hospital (invented)",
        slope=0.5,
        intercept=-500.0,
        spacing=1.453125,
        thickness=7.5,
        kernel="B30",
        blur=0.6,
        noise=18.0,
    ),
)


def acquire(scanner: Scanner, hu: Floats, rng: np.random.Generator) -> NDArray[np.int16]:
    """What the scanner stores of this anatomy: blurred, noisy, rescaled, rounded.

    White noise is added before the blur, as strong as leaves `noise` behind it, so its grain is the
    kernel's.
    """
    white = scanner.noise * 2 * np.sqrt(np.pi) * scanner.blur
    seen = gaussian_filter(hu + white * rng.standard_normal(hu.shape), scanner.blur, truncate=3.0)
    seen = np.clip(seen, -1024, 3071)
    stored: NDArray[np.int16] = np.round((seen - scanner.intercept) / scanner.slope).astype(
        np.int16
    )
    return stored
