"""Keyed pseudonyms: who holds the key can say who P-3K7QX2MZAB is, and nobody else.

HMAC-SHA256 of the source id under a secret key, so that a list of a hospital's ids cannot be
tried out. The key lies outside data/ and git. A demo cohort's key comes from the study's name, so
that two machines agree; it protects nobody, and is refused for what is not marked as invented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oncotrail.errors import KeyFault
from oncotrail.imaging.deidentify import Alias

KEY_BYTES = 32
LETTERS = 10  # of base32: 50 bits, one collision in 5,000,000 cohorts of 20,000
FURTHEST_SHIFT = 3650  # days
OTHERS = 0o077
FOLDER_VARIABLE = "ONCOTRAIL_KEYS"


@dataclass(frozen=True)
class Key:
    """A study's secret, and whether it was made just now."""

    secret: bytes
    path: Path | None = None
    new: bool = False

    def fingerprint(self) -> str:
        """Tells two keys apart without telling either; it may stand in a record."""
        return hmac.digest(self.secret, b"fingerprint", hashlib.sha256).hex()[:12]

    def alias(self, source_id: str) -> Alias:
        """Who this patient is from now on."""
        code = base64.b32encode(self._digest("patient", source_id)).decode()[:LETTERS]
        shift = int.from_bytes(self._digest("days", source_id)[:8], "big") % FURTHEST_SHIFT
        return Alias(f"P-{code}", -1 - shift, self._digest("uids", ""))

    def aliases(self, source_ids: Iterable[str]) -> dict[str, Alias]:
        """An alias per patient; no two patients share one."""
        found = {source_id: self.alias(source_id) for source_id in source_ids}
        distinct = {alias.pseudonym for alias in found.values()}
        if len(distinct) < len(found):
            message = (
                f"{len(found) - len(distinct)} pseudonyms would stand for two patients each; "
                f"remove {self.path or 'the key'} and run again, so that another key is made."
            )
            raise KeyFault(message)
        return found

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}/{text}".encode(), hashlib.sha256)


def key_of(study: str, pseudonyms: Literal["keyed", "invented"]) -> Key:
    """The key that the study file asks for."""
    return invented_key(study) if pseudonyms == "invented" else stored_key(study)


def invented_key(study: str) -> Key:
    """The key of a cohort that never lived: the same on every machine, secret to nobody."""
    return Key(hashlib.sha256(f"oncotrail invented {study}".encode()).digest())


def key_path(study: str) -> Path:
    """Where the key of a study's pseudonyms lies: $ONCOTRAIL_KEYS, or ~/.config/oncotrail/keys."""
    folder = os.environ.get(FOLDER_VARIABLE) or Path.home() / ".config" / "oncotrail" / "keys"
    return Path(folder) / f"{study}.key"


def stored_key(study: str) -> Key:
    """The study's key, made on first use and readable by its owner alone."""
    path = key_path(study)
    try:
        made = _make(path)
    except OSError as error:
        message = (
            f"{path} cannot be written ({error.strerror}); make its folder writable, or let "
            f"{FOLDER_VARIABLE} name a folder of yours."
        )
        raise KeyFault(message) from error
    if path.stat().st_mode & OTHERS:
        message = f"{path} can be read by others on this machine; run chmod 600 {path}."
        raise KeyFault(message)
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        message = f"{path} is not a key of {KEY_BYTES} bytes in hex; restore it from your backup."
        raise KeyFault(message)
    return Key(secret, path, made)


def _make(path: Path) -> bool:
    """Write a new key, whole or not at all; False if there is one already."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(beside)  # fails where a key exists, so that two processes make one key
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    return True
