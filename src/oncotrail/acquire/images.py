"""One image handed over -> its row in the images table and its de-identified files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from oncotrail.acquire.folder import Source
from oncotrail.errors import ImageFault
from oncotrail.imaging import dicom, series
from oncotrail.imaging.deidentify import Alias, Change, Deidentified, deidentified
from oncotrail.imaging.read import Image, ImageFile, ImageSeries, decoding, load, scan_of
from oncotrail.imaging.region import Marked, marked_in
from oncotrail.imaging.scan import Scan
from oncotrail.study.cohort import View

RADIOGRAPHS = {"CR", "DX"}  # two generations of detectors for the same picture


@dataclass(frozen=True)
class Cleaned:
    """An image (or a mask) without identity: where its files go, and what was changed in them."""

    path: str  # of the file, or of the folder of a series
    files: tuple[tuple[str, bytes], ...]  # each with its path
    changes: tuple[Change, ...]
    said: tuple[str, ...]  # the ids that the source files had: to compare with, never to write
    scan: Scan


@dataclass(frozen=True)
class Examined:
    """A usable image: its row in the images table, its files, its values and what is marked."""

    source: Source
    row: dict[str, str | int | float | None]
    image: Cleaned
    mask: Cleaned | None
    marked: Marked | None

    @property
    def scan(self) -> Scan:
        """The values."""
        return self.image.scan

    @property
    def files(self) -> tuple[tuple[str, bytes], ...]:
        """All that is kept of it, each file with its path."""
        return (*self.image.files, *(self.mask.files if self.mask else ()))

    @property
    def said(self) -> tuple[str, ...]:
        """The ids that its source files had: to compare with, never to write."""
        return (*self.image.said, *(self.mask.said if self.mask else ()))


def examine(
    folder: Path, source: Source, view: View, alias: Alias, *, checked_by_hand: bool
) -> Examined:
    """Read, de-identify, decode the result, and say what it is. A fault begins with a verb."""
    name = f"{alias.pseudonym}-{source.view}"
    place = f"images/{source.view}/{name}"
    image = _cleaned(load(folder / source.file), place, alias, checked_by_hand=checked_by_hand)
    _refuse_modality(image.scan.modality, view.modality)
    mask = _mask(folder, source, f"masks/{source.view}/{name}", alias, checked_by_hand)
    marked = _marked(source, image, mask)
    return Examined(source, _row(name, source, alias, image, mask), image, mask, marked)


def _row(
    name: str, source: Source, alias: Alias, image: Cleaned, mask: Cleaned | None
) -> dict[str, str | int | float | None]:
    scan = image.scan
    slices, rows, columns = scan.size
    return {
        "image": name,
        "patient": alias.pseudonym,
        "view": source.view,
        "path": image.path,
        "sha256": scan.sha256(),
        "slices": slices,
        "rows": rows,
        "columns": columns,
        "slice_spacing": scan.slice_spacing,
        "row_spacing": scan.row_spacing,
        "column_spacing": scan.column_spacing,
        "modality": scan.modality,
        "manufacturer": scan.manufacturer,
        "scanner": scan.scanner,
        "series": scan.series,
        "phase": scan.phase,
        "laterality": scan.laterality,
        "box": source.box,
        "mask": mask.path if mask else None,
    }


def _cleaned(image: Image, place: str, alias: Alias, *, checked_by_hand: bool) -> Cleaned:
    """De-identify an image; the files of a series are named by the order in which they lie."""
    if isinstance(image, ImageFile):
        result = deidentified(image, alias, checked_by_hand=checked_by_hand)
        path = f"{place}{result.ending}"
        return _of([result], path, [path], scan_of(result.file))
    with decoding("DICOM"):
        order = series.stack_of([dicom.dataset_of(file.data) for file in image.files]).order
    results = [
        deidentified(image.files[number], alias, checked_by_hand=checked_by_hand)
        for number in order
    ]
    names = [f"{number:04}.dcm" for number in range(len(results))]
    clean = ImageSeries(tuple(names), tuple(result.file for result in results))
    return _of(results, place, [f"{place}/{name}" for name in names], scan_of(clean))


def _of(results: list[Deidentified], path: str, paths: list[str], scan: Scan) -> Cleaned:
    files = tuple(zip(paths, (result.file.data for result in results), strict=True))
    changes = {change.tag: change for result in results for change in result.changes}
    said = dict.fromkeys(result.said for result in results if result.said)
    return Cleaned(path, files, tuple(changes.values()), tuple(said), scan)


def _mask(
    folder: Path, source: Source, place: str, alias: Alias, checked_by_hand: bool
) -> Cleaned | None:
    if source.mask is None:
        return None
    if source.box:
        raise ImageFault("has a box and a mask", "keep the one that is meant in images.csv")
    try:
        image = load(folder / source.mask)
        _refuse_jpeg(image)
        return _cleaned(image, place, alias, checked_by_hand=checked_by_hand)
    except ImageFault as fault:
        raise _of_mask(source, fault) from fault


def _refuse_jpeg(mask: Image) -> None:
    if isinstance(mask, ImageFile) and mask.kind == "JPEG":
        raise ImageFault("is a JPEG, whose edges are blurred", "save the mask as PNG")


def _marked(source: Source, image: Cleaned, mask: Cleaned | None) -> Marked | None:
    try:
        return marked_in(image.scan, source.box, mask.scan if mask else None)
    except ImageFault as fault:
        raise _of_mask(source, fault) if mask else fault from fault


def _of_mask(source: Source, fault: ImageFault) -> ImageFault:
    return type(fault)(f"has the mask {source.mask}, which {fault.what}", fault.mend)


def _refuse_modality(found: str | None, declared: str) -> None:
    same = found == declared or {found, declared} == RADIOGRAPHS
    if found is not None and not same:
        raise ImageFault(
            f"is {found}, and the view is declared as {declared}", "correct the one or the other"
        )


def changes_of(examined: Examined) -> Iterable[tuple[str, Change]]:
    """What was changed, beside the name of the image, or of its mask."""
    name = str(examined.row["image"])
    yield from ((name, change) for change in examined.image.changes)
    if examined.mask is not None:
        yield from ((f"{name} mask", change) for change in examined.mask.changes)
