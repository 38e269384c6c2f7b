"""A raw cohort -> everything that is wrong with it, and the tables that are right.

    check(folder, acquire, cohort, look) -> Findings  for a person, who then mends the cohort
    survey(folder, acquire, cohort, key, keep)        for the stage, which also keeps the images

The order is: the clinical table, eligibility, which image is whose, each image, and last what only
all patients together can show (one class, mixed units, one picture under two patients).
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from oncotrail.acquire import together
from oncotrail.acquire.cells import Value
from oncotrail.acquire.clinical import Clinical, identity, read_clinical
from oncotrail.acquire.findings import Exclusion, Findings, Problem
from oncotrail.acquire.folder import LIST, Images, Source, find_images, missing_images
from oncotrail.acquire.images import Examined, examine
from oncotrail.acquire.pseudonyms import KEY_BYTES, Key
from oncotrail.acquire.sheet import read_sheet
from oncotrail.errors import DeidentificationRefused, ImageFault
from oncotrail.imaging.deidentify import Alias
from oncotrail.study.cohort import Cohort
from oncotrail.study.source import Acquire

CLINICAL = "clinical.csv"
INVENTED = "invented.json"

UNSAID = "copy or export it again whole"

Keep = Callable[[Examined], None]
Look = Callable[[Examined], None]  # raises an ImageFault where a view cannot show an image


@dataclass(frozen=True)
class Survey:
    """The findings, and what is known of each patient who stays; all of it by source id."""

    findings: Findings
    clinical: Clinical
    aliases: dict[str, Alias]
    images: list[dict[str, str | int | float | None]]

    def staying(self) -> dict[str, dict[str, Value]]:
        """The clinical rows of the patients who are not excluded."""
        out = {exclusion.patient for exclusion in self.findings.exclusions}
        return {who: row for who, row in self.clinical.rows.items() if who not in out}


def _suits_every_view(_: Examined) -> None:
    """What is looked at where no later stage is asked."""


def check(
    folder: Path, acquire: Acquire, cohort: Cohort, look: Look = _suits_every_view
) -> Findings:
    """Do all that the stage would do, under a key that is thrown away, and keep nothing.

    `look` is shown each image, so that what a later stage would refuse is found here already.
    """
    passing = Key(secrets.token_bytes(KEY_BYTES))
    return survey(folder, acquire, cohort, passing, lambda _: None, look=look).findings


def survey(
    folder: Path,
    acquire: Acquire,
    cohort: Cohort,
    key: Key,
    keep: Keep,
    *,
    look: Look = _suits_every_view,
) -> Survey:
    """Read, check and de-identify a raw cohort; `keep` is given each image that may be used."""
    problems = list(_wrongly_invented(folder, acquire))
    sheet = read_sheet(folder / CLINICAL, acquire.encoding, problems)
    clinical = Clinical() if sheet is None else read_clinical(sheet, cohort, problems)
    found = _images(folder, acquire, cohort, clinical, problems)
    aliases = key.aliases(clinical.known | found.strays)
    looked = _Rounds(folder, acquire, cohort, aliases, keep, look)
    looked.at_all(clinical, found, problems)
    problems.extend(together.same_picture(looked.pictures))
    problems.extend(together.units(CLINICAL, clinical.rows, cohort, acquire.units_checked))
    findings = _settled(problems, clinical, found, acquire, cohort)
    return Survey(findings, clinical, aliases, looked.rows)


@dataclass
class _Rounds:
    """Looks at each image in turn, and remembers pictures and rows, never pixels."""

    folder: Path
    acquire: Acquire
    cohort: Cohort
    aliases: dict[str, Alias]
    keep: Keep
    look: Look
    pictures: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))
    rows: list[dict[str, str | int | float | None]] = field(default_factory=list)

    def at_all(self, clinical: Clinical, found: Images, problems: list[Problem]) -> None:
        """In the order of pseudonyms, so that no output tells the order of the source ids."""
        faulty = {problem.patient for problem in problems}
        for patient in sorted(clinical.rows, key=lambda who: self.aliases[who].pseudonym):
            number = clinical.row_numbers[patient]
            faults = list(missing_images(patient, number, found, self.cohort))
            usable = self._usable(found.of.get(patient, {}).values(), faults)
            problems.extend(faults)
            fit = not faults and patient not in faulty
            if fit or self.acquire.on_fault == "stop":  # whoever is excluded needs no window
                problems.extend(self._unshown(usable))
            if fit:
                for examined in usable:
                    self.keep(examined)
                    self.rows.append(examined.row)

    def _usable(self, sources: Iterable[Source], faults: list[Problem]) -> list[Examined]:
        """One patient's images that may be used; what is wrong with the others joins the faults."""
        usable = []
        for source in sorted(sources, key=lambda source: source.view):
            try:
                usable.append(self._examined(source))
            except ImageFault as fault:
                faults.append(_of_image(source, fault))
        return usable

    def _unshown(self, usable: Iterable[Examined]) -> Iterator[Problem]:
        """Images that the study's settings cannot show: no patient is to blame, so all stop."""
        for examined in usable:
            try:
                self.look(examined)
            except ImageFault as fault:
                yield replace(_of_image(examined.source, fault), patient=None)

    def _examined(self, source: Source) -> Examined:
        examined = examine(
            self.folder,
            source,
            self.cohort.views[source.view],
            self.aliases[source.patient],
            checked_by_hand=self.acquire.burned_in == "checked_by_hand",
        )
        for said in map(identity, examined.said):
            if said != source.patient and said in self.aliases:
                raise ImageFault(f"says that it is of patient {said}", "find out whose it is")
        same = self.pictures[str(examined.row["sha256"])]
        same.append(source)
        for other in same[:-1]:
            if other.patient == source.patient:
                raise ImageFault(
                    f"shows the very picture of {other.file}", "export the view's own image"
                )
        return examined


def _images(
    folder: Path, acquire: Acquire, cohort: Cohort, clinical: Clinical, problems: list[Problem]
) -> Images:
    """Without ids in the table every image would be nobody's, which is no news."""
    if not clinical.known:
        return Images()
    return find_images(folder, acquire.encoding, cohort, clinical.known, problems)


def _of_image(source: Source, fault: ImageFault) -> Problem:
    refused = isinstance(fault, DeidentificationRefused)
    reason = f"image of {source.view} " + ("may show who it is" if refused else "cannot be used")
    what, mend = fault.what, fault.mend or UNSAID
    return Problem(source.file, source.row, what, mend, reason, source.patient)


def _wrongly_invented(folder: Path, acquire: Acquire) -> list[Problem]:
    if acquire.pseudonyms != "invented" or (folder / INVENTED).is_file():
        return []
    what = "is missing, and the study says pseudonyms: invented, which only a demo cohort may"
    mend = "write acquire.pseudonyms: keyed"
    return [Problem(INVENTED, None, what, mend, "pseudonyms: invented for real patients")]


def _settled(
    problems: list[Problem], clinical: Clinical, found: Images, acquire: Acquire, cohort: Cohort
) -> Findings:
    """Who is kept out, and which problems still stop, by the study's `on_fault`."""
    excludes = acquire.on_fault == "exclude"
    tolerated = [problem for problem in problems if excludes and problem.patient is not None]
    stopping = [problem for problem in problems if not excludes or problem.patient is None]
    faults = [Exclusion(str(p.patient), "data fault", p.reason) for p in tolerated]
    exclusions = tuple(dict.fromkeys([*faults, *clinical.exclusions]))
    out = {exclusion.patient for exclusion in exclusions}
    left = {patient: row for patient, row in clinical.rows.items() if patient not in out}
    if clinical.known:
        stopping.extend(together.nobody_left(CLINICAL, left))
        stopping.extend(together.one_class(CLINICAL, left, cohort))
    read_as = {CLINICAL: clinical.read_as, LIST: found.read_as}
    return Findings(
        stopping=tuple(stopping),
        tolerated=tuple(tolerated),
        exclusions=exclusions,
        patients=len(clinical.known | found.strays),
        images=sum(len(views) for views in found.of.values()),
        encodings={file: how for file, how in read_as.items() if how is not None},
    )
