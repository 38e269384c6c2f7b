import errno
import sqlite3

import pytest

from oncotrail.errors import (
    AuditFailed,
    DiskFull,
    ReproductionDiffers,
    StudyFileError,
    TrackingFault,
    UserFault,
    foreseen,
)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "weights"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        OSError("1000 requested and 24 written"),  # numpy
        RuntimeError("I/O error: No space left on device (os error 28)"),  # safetensors
        sqlite3.OperationalError("database or disk is full"),
    ],
    ids=["enospc", "quota", "limit", "numpy", "rust", "sqlite"],
)
def test_a_full_disk_is_known_however_a_library_tells_it(error: Exception) -> None:
    fault = foreseen(error)
    assert isinstance(fault, DiskFull)
    assert fault.exit_code == 2
    assert "free some space" in str(fault)


def test_a_full_disk_is_found_behind_another_error() -> None:
    outer = ValueError("could not save")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert isinstance(foreseen(outer), DiskFull)


def test_a_missing_file_is_the_users_and_named() -> None:
    fault = foreseen(FileNotFoundError(errno.ENOENT, "No such file", "raw/clinical.csv"))
    assert isinstance(fault, UserFault)
    assert "raw/clinical.csv is missing" in str(fault)


def test_our_own_faults_pass_unchanged() -> None:
    ours = AuditFailed("P1 is in two roles")
    assert foreseen(ours) is ours


@pytest.mark.parametrize(
    "error", [ValueError("shapes"), KeyError("auc"), OSError(errno.EIO, "Input/output error")]
)
def test_what_was_not_foreseen_is_not_explained_away(error: Exception) -> None:
    assert foreseen(error) is None


def test_the_users_faults_exit_with_2_and_a_different_result_with_1() -> None:
    assert StudyFileError.exit_code == 2
    assert (ReproductionDiffers.exit_code, TrackingFault.exit_code) == (1, 1)
