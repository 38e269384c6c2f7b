"""Which file is whose image of which view: by its place, or by `images.csv`.

By place: `images/<view>/<patient>.<ending>`, or a folder `images/<view>/<patient>` with the DICOM
slices of one series. `images.csv` has the columns patient, view and path (relative to the cohort's
folder) and, where it exists, is the only one that is asked; its columns box and mask may say what
is the region of interest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from oncotrail.acquire.clinical import identity
from oncotrail.acquire.findings import Problem
from oncotrail.acquire.sheet import Sheet, read_sheet
from oncotrail.errors import ImageFault
from oncotrail.imaging.read import ending_of, load
from oncotrail.study.base import nearest
from oncotrail.study.cohort import Cohort

LIST = "images.csv"
LIST_COLUMNS = ("patient", "view", "path")
REGION_COLUMNS = ("box", "mask")
LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Source:
    """One image that somebody handed over, by the patient's source id."""

    patient: str
    view: str
    file: str  # relative to the cohort's folder
    row: int | None = None  # in images.csv
    box: str | None = None  # top left bottom right
    mask: str | None = None  # relative to the cohort's folder


@dataclass
class Images:
    """The images of the clinical table's patients, and whose other images lie there."""

    of: dict[str, dict[str, Source]] = field(default_factory=dict)  # patient -> view -> image
    strays: set[str] = field(default_factory=set)
    read_as: str | None = None  # how images.csv was read, if there is one


def find_images(
    folder: Path,
    encoding: str | None,
    cohort: Cohort,
    known: Collection[str],
    problems: list[Problem],
) -> Images:
    """Every image, by patient and view; whatever does not fit is among the problems."""
    images = Images()
    if (folder / LIST).exists():
        sheet = read_sheet(folder / LIST, encoding, problems)
        images.read_as = None if sheet is None else sheet.read_as
        sources = [] if sheet is None else list(_listed(sheet, problems))
    else:
        sources = list(_by_place(folder, cohort, known, problems))
    for source in sources:
        if source.patient not in known:
            images.strays.add(source.patient)
        fault = _fault(source, cohort, known, images)
        if fault is None:
            images.of.setdefault(source.patient, {})[source.view] = source
        else:
            problems.append(fault)
    return images


def missing_images(patient: str, row: int, images: Images, cohort: Cohort) -> Iterator[Problem]:
    """One problem for each required view of which a patient has no image."""
    for view, declared in cohort.views.items():
        if declared.required and view not in images.of.get(patient, {}):
            what = f"patient {patient} has no image of the view {view}"
            mend = f"put it at images/{view}/{patient}.<ending>, or list it in {LIST}"
            alike = [stray for stray in images.strays if stray.lstrip("0") == patient.lstrip("0")]
            if alike:
                mend += f"; there is one of {alike[0]}: has the table lost leading zeros?"
            yield Problem("clinical.csv", row, what, mend, f"no image of {view}", patient)


def _listed(sheet: Sheet, problems: list[Problem]) -> Iterator[Source]:
    absent = [name for name in LIST_COLUMNS if name not in sheet.header]
    if absent:
        what = f"lacks the columns {', '.join(absent)}"
        mend = f"it needs {', '.join(LIST_COLUMNS)}"
        problems.append(Problem(LIST, 1, what, mend, f"{LIST} cannot be read"))
        return
    undeclared = [name for name in sheet.header if name not in (*LIST_COLUMNS, *REGION_COLUMNS)]
    if undeclared:
        what, known = f"has the columns {', '.join(undeclared)}", ", ".join(REGION_COLUMNS)
        mend = f"remove them, or rename them; beside {', '.join(LIST_COLUMNS)} it may have {known}"
        problems.append(Problem(LIST, 1, what, mend, f"{LIST} cannot be read"))
    for row in sheet.rows:
        patient, view, path = (row.cells[name] for name in LIST_COLUMNS)
        box, mask = (row.cells.get(name) or None for name in REGION_COLUMNS)
        outside = [place for place in (path, mask) if place is not None and not _below(place)]
        if outside:
            what = f"path {outside[0]!r} does not lie below the cohort's folder"
            mend = "give the path relative to the cohort's folder"
            problems.append(Problem(LIST, row.number, what, mend, f"{LIST} leads elsewhere"))
            continue
        yield Source(
            identity(patient), view, _posix(path), row.number, box, _posix(mask) if mask else None
        )


def _below(path: str) -> bool:
    place = PurePosixPath(_posix(path))
    return bool(path) and not place.is_absolute() and ".." not in place.parts


def _posix(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).as_posix()


def _by_place(
    folder: Path, cohort: Cohort, known: Collection[str], problems: list[Problem]
) -> Iterator[Source]:
    images = folder / "images"
    if not images.is_dir():
        what, mend = (
            "is missing",
            f"put images at images/<view>/<patient>.<ending>, or write {LIST}",
        )
        problems.append(Problem("images", None, what, mend, "no folder of images"))
        return
    for view in _entries(images):
        if not view.is_dir() or view.name not in cohort.views:
            mend = f"move it away, or declare the view. {nearest(view.name, cohort.views)}"
            what = "is not a folder of a declared view"
            problems.append(Problem(f"images/{view.name}", None, what, mend, "undeclared views"))
            continue
        for path in _entries(view):
            patient = identity(path.name.removesuffix(ending_of(path.name)))
            source = Source(patient, view.name, path.relative_to(folder).as_posix())
            if _is_image(path, patient, known):
                yield source
            else:
                problems.append(_no_image(source, is_folder=path.is_dir()))


def _is_image(path: Path, patient: str, known: Collection[str]) -> bool:
    """Whether a file is named like an image or like a patient, or holds an image all the same.

    DICOM has no ending by habit and a patient's id may hold points, so that the name of
    `notes.txt` alone does not tell.
    """
    if path.is_dir():
        return patient in known
    if patient in known or ending_of(path.name):
        return True
    try:
        load(path)
    except ImageFault:
        return False
    return True


def _no_image(source: Source, *, is_folder: bool) -> Problem:
    what = "is a folder" if is_folder else "is no image of a kind that is read"
    mend = (
        f"move it away; an image is DICOM, PNG, JPEG, TIFF or NIfTI, at images/{source.view}/"
        f"<patient>.<ending>, or a folder of DICOM slices at images/{source.view}/<patient>"
    )
    return Problem(source.file, source.row, what, mend, "what is no image among the images")


def _entries(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name.lower() not in LEFT_BY_SYSTEMS
    )


def _fault(
    source: Source, cohort: Cohort, known: Collection[str], images: Images
) -> Problem | None:
    if source.view not in cohort.views:
        what = f"view {source.view!r} is not declared"
        mend = nearest(source.view, cohort.views)
        return Problem(source.file, source.row, what, mend, "undeclared views")
    if source.patient not in known:
        what = f"patient {source.patient} is not in clinical.csv"
        mend = "add the patient's row, or move the image away"
        reason = "image without a row in the clinical table"
        return Problem(source.file, source.row, what, mend, reason, source.patient)
    earlier = images.of.get(source.patient, {}).get(source.view)
    if earlier is not None:
        what = f"patient {source.patient} has two images of {source.view}: also {earlier.file}"
        mend, reason = "keep the one that is meant", f"two images of {source.view}"
        return Problem(source.file, source.row, what, mend, reason, source.patient)
    return None
