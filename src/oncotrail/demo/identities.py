"""Names, dates and numbers of patients who never lived, so that de-identification has work to do.

All of them are built from syllables or digests; none is taken from a list of people or hospitals.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from oncotrail.demo.people import HOSPITALS
from oncotrail.record import generator

UID_ROOT: Final = "2.25."  # DICOM's root for identifiers that are just large numbers
_PREFIXES: Final = ("NBH", "SCH")  # by hospital
_STARTS: Final = (
    "Bel",
    "Cor",
    "Dar",
    "Fen",
    "Hal",
    "Jor",
    "Lum",
    "Mar",
    "Nev",
    "Quil",
    "Tam",
    "Wex",
)
_MIDDLES: Final = ("a", "e", "i", "o", "ura", "eni", "ova", "ila")
_FAMILY_ENDS: Final = ("brook", "dale", "mont", "ric", "sten", "wick", "vane", "zar")
_GIVEN_ENDS: Final = ("da", "lia", "na", "ra", "ssa", "tte", "wyn", "ya")


@dataclass(frozen=True)
class Identity:
    """Who a source file says that the patient is."""

    patient: str
    name: str
    birth: date
    examined: date
    time: str  # of day, HHMMSS
    accession: str
    referrer: str
    address: str
    study_uid: str
    series_uid: str
    frame_uid: str

    def image_uid(self, view: str) -> str:
        """The SOP Instance UID of one slice."""
        return uid(self.series_uid, view)


def patient_id(place: int, hospital: int) -> str:
    """The hospital's record number. It is not padded: as text it sorts otherwise."""
    return f"{_PREFIXES[hospital]}-{place + 1}"


def identity(seed: int, place: int, hospital: int, age: float) -> Identity:
    """The identity of patient `place` of the cohort."""
    rng = generator(seed, "demo", "identity", str(place))

    def number(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    def name(*syllables: tuple[str, ...]) -> str:
        return "".join(choices[number(0, len(choices))] for choices in syllables)

    patient = patient_id(place, hospital)
    family = name(_STARTS, _MIDDLES, _FAMILY_ENDS)
    examined = date(2012, 1, 2) + timedelta(days=number(0, 2600))
    birth = examined - timedelta(days=int(age * 365.25) + number(1, 360))
    study = uid(str(seed), patient, "study")
    return Identity(
        patient=patient,
        name=f"{family}^{name(_STARTS, _MIDDLES, _GIVEN_ENDS)}",
        birth=birth,
        examined=examined,
        time=f"{number(7, 19):02d}{number(0, 60):02d}{number(0, 60):02d}",
        accession=f"ACC{number(0, 10**8):08d}",
        referrer=f"{name(_STARTS, _MIDDLES, _FAMILY_ENDS)}^{name(_STARTS, _GIVEN_ENDS)}^^Dr",
        address=f"{number(1, 200)} {name(_STARTS, _FAMILY_ENDS)} Street, {HOSPITALS[hospital]}",
        study_uid=study,
        series_uid=uid(study, "series"),
        frame_uid=uid(study, "frame of reference"),
    )


def uid(*names: str) -> str:
    """A DICOM identifier that is the same whenever the names are."""
    digest = hashlib.sha256("/".join(names).encode()).digest()[:16]
    return UID_ROOT + str(int.from_bytes(digest, "big"))
