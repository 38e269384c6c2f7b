"""An image file -> the same picture in a file that does not say whose it is.

    deidentified(file, alias, checked_by_hand=False) -> bytes, and what was changed

The bytes of the pixels are copied, never decoded and encoded again. DICOM keeps the tags of
`profile.ACTIONS` and no other; PNG, JPEG, TIFF and NIfTI keep what a decoder needs. The list of
changes names tags and actions, never an old value. The same file and alias give the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydicom import config, dcmwrite
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import validate_value

from oncotrail.errors import DeidentificationRefused
from oncotrail.imaging import dicom, metadata, profile
from oncotrail.imaging.read import ImageFile, decoding

IMPLEMENTATION = UID("2.25.215104612403918023115530186390221840117")  # ours, in the file's meta


@dataclass(frozen=True)
class Alias:
    """Who a patient is from now on: a name, a shift of all dates, and the key that remaps UIDs."""

    pseudonym: str
    days: int
    key: bytes


@dataclass(frozen=True)
class Change:
    """One tag, chunk or field, and what was done to it."""

    tag: str
    keyword: str
    action: profile.Action


@dataclass(frozen=True)
class Deidentified:
    """The new file, its ending, and what was changed on the way.

    `said` is the patient's id as the source file had it: to compare with, never to write.
    """

    file: ImageFile
    ending: str
    changes: tuple[Change, ...]
    said: str | None = field(default=None, repr=False)


def deidentified(file: ImageFile, alias: Alias, *, checked_by_hand: bool) -> Deidentified:
    """The same picture without whose it is, or `DeidentificationRefused`."""
    with decoding(file.kind):
        if file.kind == "DICOM":
            return _dicom(file.data, alias, checked_by_hand=checked_by_hand)
        stripped = metadata.STRIP[file.kind](file.data)
    changes = tuple(Change(name, name, "remove") for name in stripped.removed)
    return Deidentified(ImageFile(file.kind, stripped.data), stripped.ending, changes)


def refuse_if_pixels_may_tell(dataset: Dataset) -> None:
    """Refuse where a name may stand in the pixels: no program finds burned-in text surely."""
    reason = _why_pixels_may_tell(dataset)
    if reason is not None:
        raise DeidentificationRefused(
            f"may show who the patient is: {reason}",
            "look at this study's images, mask what is written in them, and then set "
            "acquire.burned_in: checked_by_hand",
        )


def remapped_uid(key: bytes, uid: str) -> str:
    """The UID that stands for `uid` under this key; 2.25 is DICOM's root for numbers from UUIDs.

    >>> remapped_uid(b"k", "1.2.3") == remapped_uid(b"k", "1.2.3") != remapped_uid(b"l", "1.2.3")
    True
    """
    number = hmac.digest(key, f"uid/{uid}".encode(), hashlib.sha256)[:16]
    return f"2.25.{int.from_bytes(number, 'big')}"


def shifted(date: str, days: int) -> str:
    """A DICOM date (YYYYMMDD) moved by `days`; what is no date becomes blank.

    >>> shifted("20200301", -1), shifted("about 2020", -1)
    ('20200229', '')
    """
    try:
        moved = datetime.strptime(date.strip(), "%Y%m%d") + timedelta(days=days)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return ""
    return f"{moved.year:04}{moved:%m%d}"


def _why_pixels_may_tell(dataset: Dataset) -> str | None:
    for keyword in ("BurnedInAnnotation", "RecognizableVisualFeatures"):
        if (dicom.text(dataset, keyword) or "").upper() == "YES":
            return f"{keyword} is YES"
    modality = dicom.text(dataset, "Modality") or ""
    if modality in profile.BURNS_TEXT_IN:
        return f"modality {modality} ({profile.BURNS_TEXT_IN[modality]}) usually has text burned in"
    if (dicom.text(dataset, "SOPClassUID") or "").startswith(profile.SECONDARY_CAPTURE):
        return "a secondary capture usually has text burned in"
    if any(_is_embedded_overlay(dataset, tag) for tag in dataset.keys()):  # noqa: SIM118
        return "an overlay is stored in unused bits of the pixels"
    return None


def _is_embedded_overlay(dataset: Dataset, tag: BaseTag) -> bool:
    """Overlays are groups 6000 to 601E; one whose bit position is not 0 lies in the pixels."""
    return tag.group & 0xFFE1 == 0x6000 and tag.element == 0x0102 and bool(dataset[tag].value)  # noqa: PLR2004


def _dicom(data: bytes, alias: Alias, *, checked_by_hand: bool) -> Deidentified:
    dataset = dicom.dataset_of(data)
    if not checked_by_hand:
        refuse_if_pixels_may_tell(dataset)
    changes: list[Change] = []
    clean = _cleaned(dataset, alias, changes, "")
    changes.extend(_say_so(clean))
    clean.file_meta = _meta(dataset, clean)
    buffer = io.BytesIO()
    dcmwrite(buffer, clean, enforce_file_format=True)
    file = ImageFile("DICOM", buffer.getvalue())
    return Deidentified(file, ".dcm", tuple(changes), dicom.text(dataset, "PatientID"))


def _cleaned(dataset: Dataset, alias: Alias, changes: list[Change], above: str) -> Dataset:
    clean = Dataset()
    for tag in sorted(dataset.keys()):
        keyword = keyword_for_tag(tag)
        action = profile.ACTIONS.get(keyword, "remove")
        element = None if action == "remove" else _as_declared(dataset, tag)
        if element is None:
            action = "remove"
        elif element.VR == "SQ":
            clean[tag] = _cleaned_items(element, alias, changes, above)
        else:
            clean[tag] = element if action == "keep" else _changed(element, action, alias)
        if action != "keep":
            name = keyword or ("private" if tag.is_private else "unknown")
            changes.append(Change(above + _written(tag), name, action))
    return clean


def _as_declared(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    """The element, if its value is of the kind that the standard declares.

    Where a number or a code is due, pydicom hands over whatever text stands there: perhaps a name.
    """
    element = dataset[tag]
    several = isinstance(element.value, MultiValue)
    values = element.value if several else [element.value]
    declared = element.VR in dictionary_VR(tag)
    return element if declared and all(_fits(element.VR, value) for value in values) else None


def _fits(kind: str, value: object) -> bool:
    if kind in ("DS", "IS"):
        return not isinstance(value, str) or not value
    if kind in ("CS", "LO", "SH"):
        try:
            validate_value(kind, value, config.RAISE)
        except ValueError:
            return False
    return True


def _cleaned_items(
    sequence: DataElement, alias: Alias, changes: list[Change], above: str
) -> DataElement:
    items = [
        _cleaned(item, alias, changes, f"{above}{_written(sequence.tag)}[{number}].")
        for number, item in enumerate(sequence.value)
    ]
    return DataElement(sequence.tag, "SQ", Sequence(items))


def _changed(element: DataElement, action: profile.Action, alias: Alias) -> DataElement:
    old = str(element.value or "")
    new = {
        "empty": "",
        "pseudonym": alias.pseudonym,
        "remap uid": remapped_uid(alias.key, old) if old else "",
        "shift date": shifted(old, alias.days),
    }[action]
    return DataElement(element.tag, element.VR, new)


def _say_so(clean: Dataset) -> Iterator[Change]:
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = profile.METHOD
    clean.LongitudinalTemporalInformationModified = "MODIFIED"
    codes = []
    for value, meaning in profile.METHOD_CODES:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    clean.DeidentificationMethodCodeSequence = Sequence(codes)
    for keyword in (
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified",
    ):
        yield Change(_written(clean[keyword].tag), keyword, "replace")


def _meta(dataset: Dataset, clean: Dataset) -> FileMetaDataset:
    """The file's meta written anew: the source's may name its sender and receiver."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "ONCOTRAIL"
    return meta


def _written(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"
