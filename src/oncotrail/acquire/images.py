"""One image handed over -> its row in the images table and its de-identified file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oncotrail.acquire.folder import Source
from oncotrail.errors import ImageFault
from oncotrail.imaging.deidentify import Alias, Deidentified, deidentified
from oncotrail.imaging.read import load, scan_of
from oncotrail.imaging.scan import Scan, digest
from oncotrail.study.cohort import View

RADIOGRAPHS = {"CR", "DX"}  # two generations of detectors for the same picture


@dataclass(frozen=True)
class Examined:
    """A usable image: its row in the images table, the file that holds no identity, its values."""

    source: Source
    row: dict[str, str | int | float | None]
    result: Deidentified
    scan: Scan


def examine(
    folder: Path, source: Source, view: View, alias: Alias, *, checked_by_hand: bool
) -> Examined:
    """Read, de-identify, decode the result, and say what it is. A fault begins with a verb."""
    result = deidentified(load(folder / source.file), alias, checked_by_hand=checked_by_hand)
    scan = scan_of(result.file)
    _refuse_modality(scan.modality, view.modality)
    image = f"{alias.pseudonym}-{source.view}"
    return Examined(
        source,
        {
            "image": image,
            "patient": alias.pseudonym,
            "view": source.view,
            "path": f"images/{source.view}/{image}{result.ending}",
            "sha256": digest(scan.pixels),
            "rows": scan.pixels.shape[0],
            "columns": scan.pixels.shape[1],
            "row_spacing": scan.row_spacing,
            "column_spacing": scan.column_spacing,
            "modality": scan.modality,
            "manufacturer": scan.manufacturer,
            "scanner": scan.scanner,
            "series": scan.series,
            "phase": scan.phase,
            "laterality": scan.laterality,
        },
        result,
        scan,
    )


def _refuse_modality(found: str | None, declared: str) -> None:
    same = found == declared or {found, declared} == RADIOGRAPHS
    if found is not None and not same:
        message = (
            f"is {found}, and the view is declared as {declared}; correct the one or the other."
        )
        raise ImageFault(message)
