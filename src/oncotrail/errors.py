"""What can go wrong, as types. Each message says what was found, what was expected, what to do.

The exit code travels with the type: 2 for what the user can mend, 1 for what we must.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Self

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# How libraries tell of a full disk where the number is lost: Rust, SQLite, numpy.
_TELL_FULL = ("No space left on device", "os error 28", "disk is full", " requested and ")


class OncotrailError(Exception):
    """Any fault that we foresaw. The message is one sentence for the person at the terminal."""

    exit_code = 1


class UserFault(OncotrailError):
    """Something that the user can mend: a setting, a file, a table, a full disk."""

    exit_code = 2


class StudyFileError(UserFault):
    """A study file or params.yaml that says something we cannot act on."""


class TableError(UserFault):
    """A table that breaks its declaration: a missing column, a repeated patient, a wrong value."""


class DataFault(UserFault):
    """A raw cohort with problems; they are all printed as a table before this is raised."""


class ImageFault(UserFault):
    """An image that cannot be read, or must not be used: what was found, and what to do about it.

    >>> str(ImageFault("is empty", "copy it again"))
    'is empty; copy it again.'

    Without a mend, `what` is the whole sentence.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)  # both are `args`, so that it crosses to another process
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}." if self.mend else self.what

    def at(self, place: object) -> Self:
        """The same fault, told of the file at `place`."""
        return type(self)(f"{place} {self.what}", self.mend)


class DeidentificationRefused(ImageFault):
    """An image whose pixels may show who the patient is."""


class KeyFault(UserFault):
    """The secret key of a study's pseudonyms cannot be used."""


class TrainingFault(UserFault):
    """Training that cannot give an honest network: a loss that is not finite, a one-class role."""


class ModelFault(UserFault):
    """A saved model that is damaged, or is not the one that its description names."""


class AuditFailed(UserFault):
    """A guard found what would make the numbers wrong. The message names patients and mend."""


class StageBusy(UserFault):
    """Another process is filling the same output."""


class ReproductionDiffers(UserFault):
    """What was made here is not what git holds, beyond the declared tolerance."""

    exit_code = 1


class TrackingFault(OncotrailError):
    """The tracking store cannot be used."""


class MissingDependency(UserFault):
    """Something that dvc.yaml says a stage reads, and that is not there."""


class DiskFull(UserFault):
    """There is no space left for what is being written."""


def foreseen(error: BaseException) -> OncotrailError | None:
    """The fault that an error amounts to, if it is one that a person can do something about."""
    if isinstance(error, OncotrailError):
        return error
    if any(_tells_full_disk(cause) for cause in _causes(error)):
        place = getattr(error, "filename", None) or "while writing"
        return DiskFull(f"the disk is full ({place}); free some space and run make repro again.")
    if isinstance(error, FileNotFoundError) and error.filename:
        return UserFault(f"{error.filename} is missing; put it there, or run make repro.")
    if isinstance(error, PermissionError) and error.filename:
        return UserFault(f"{error.filename} may not be used ({error.strerror}); allow it.")
    return None


def _tells_full_disk(error: BaseException) -> bool:
    number = getattr(error, "errno", None)
    return number in _FULL or any(phrase in str(error) for phrase in _TELL_FULL)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
