"""What can go wrong, as types. Each message says what was found, what was expected, what to do.

The exit code travels with the type: 2 for what the user can mend, 1 for what we must.
"""

from __future__ import annotations


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
    """An image that cannot be read, or must not be used."""


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
