"""A fitted estimator of scikit-learn on disk: never pickle, and the same bytes for the same one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from oncotrail.errors import ModelFault
from oncotrail.record import sha256_of

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can say


def bytes_of(estimator: Any) -> bytes:
    """What to write; the same estimator gives the same bytes in every process."""
    import skops.io

    return same_bytes(skops.io.dumps(estimator))


def read_estimator(path: Path, sha256: str, trusted: Sequence[str], stage: str) -> Any:
    """The estimator, if the file is the expected one and builds nothing but what is trusted.

    `stage` is the one that writes it, for the error.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    found = sha256_of(path) if path.is_file() else "no file"
    if found != sha256:
        message = (
            f"{path}: expected sha256 {sha256}, found {found}; it is not the one that was fitted. "
            f"Run the {stage} stage again."
        )
        raise ModelFault(message)
    try:
        return skops.io.load(path, trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        message = f"{path} asks to build what no model of ours holds ({error}); do not load it."
        raise ModelFault(message) from None


def same_bytes(archive: bytes) -> bytes:
    """A skops archive with nothing of this process in it.

    skops names objects by their address in memory and members by those names, and dates them.
    Here objects are numbered in the order in which the schema names them, members are sorted and
    stored without date or compression (compressors differ between machines).
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        schema = json.loads(source.read("schema.json"))
        members = {name: source.read(name) for name in source.namelist() if name.endswith(".npy")}
    numbers: dict[int, int] = {}
    renamed: dict[str, bytes] = {}
    for node in _nodes(schema):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if "file" in node:
            content = members[node["file"]]
            node["file"] = f"{node['__id__']:06d}.npy"
            renamed[node["file"]] = content
    renamed["schema.json"] = json.dumps(schema, separators=(",", ":")).encode()
    return _zipped(renamed)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a schema, in the order in which it is written."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for part in inner:
            yield from _nodes(part)


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else Windows and Linux differ
            target.writestr(entry, members[name])
    return buffer.getvalue()
