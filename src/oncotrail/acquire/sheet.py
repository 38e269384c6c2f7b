"""A table that somebody exported -> rows of text, with what was guessed said.

Encoding first: a byte order mark decides; then UTF-16 by its zero bytes; then UTF-8, which other
encodings hardly ever satisfy by chance; then GB18030 (with GBK and GB2312), if what comes out is
ordinary Chinese. Anything else is ambiguous, and a person must declare it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from oncotrail.acquire.findings import Problem

BLANKS = frozenset({"", "na", "n/a", "nan", "null", "none"})
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
ORDINARY_CHINESE = 0.9  # share of the characters that GB2312, the everyday set, must know


@dataclass(frozen=True)
class Row:
    """One row: its number as a spreadsheet counts, and its cells without surrounding space."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A table as text, and how it was read."""

    file: str
    read_as: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def is_blank(cell: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_blank("N/A"), is_blank("0")
    (True, False)
    """
    return cell.lower() in BLANKS


class UnreadableSheetError(Exception):
    """Carries the problem that stopped the reading."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def read_sheet(path: Path, encoding: str | None, problems: list[Problem]) -> Sheet | None:
    """The table at `path`; None, with the reason among the problems, if it cannot be read."""
    try:
        text, name = _decoded(path, encoding)
        delimiter = _delimiter(text)
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except UnreadableSheetError as stopped:
        problems.append(stopped.problem)
        return None
    except csv.Error as error:
        problems.append(
            _problem(path.name, f"is not a CSV table ({error})", "export it again as CSV")
        )
        return None
    read_as = f"{name}, separated by {DELIMITERS[delimiter]}"
    return _sheet(path.name, read_as, records, problems)


def _decoded(path: Path, encoding: str | None) -> tuple[str, str]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _unreadable(path.name, "is missing", f"put the table at {path}") from None
    except OSError as error:
        mend = "check its permissions and its disk"
        raise _unreadable(path.name, f"cannot be read ({error.strerror})", mend) from None
    if encoding is not None:
        return _declared(path.name, data, encoding)
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            return _strictly(path.name, data, codec, name)
    if b"\0" in data:
        little = data[1:2] == b"\0"
        return _strictly(path.name, data, "utf-16-le" if little else "utf-16-be", "UTF-16")
    return _without_mark(path.name, data)


def _without_mark(file: str, data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    foreign = [letter for letter in text if not letter.isascii()]
    ordinary = sum(_in_gb2312(letter) for letter in foreign)
    if foreign and ordinary >= ORDINARY_CHINESE * len(foreign):
        return text, "GB18030 (GBK)"
    raise _unreadable(
        file,
        "is neither UTF-8 nor UTF-16, and does not read as Chinese in GB18030",
        "save it as UTF-8, or declare its encoding, for instance acquire.encoding: cp1252",
    )


def _declared(file: str, data: bytes, encoding: str) -> tuple[str, str]:
    try:
        codecs.lookup(encoding)
    except LookupError:
        what = f"is declared as {encoding!r}, which is no encoding"
        raise _unreadable(file, what, "correct acquire.encoding, or remove it") from None
    return _strictly(file, data, encoding, f"{encoding}, as declared")


def _strictly(file: str, data: bytes, codec: str, name: str) -> tuple[str, str]:
    try:
        return data.decode(codec).lstrip("\ufeff"), name
    except UnicodeDecodeError as error:
        what = f"is not {name}: byte {error.start} cannot be read"
        raise _unreadable(file, what, "save it as UTF-8, or correct acquire.encoding") from None


def _in_gb2312(letter: str) -> bool:
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """The separator that cuts the header into most columns."""
    header = text.split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def _sheet(
    file: str, read_as: str, records: list[list[str]], problems: list[Problem]
) -> Sheet | None:
    filled = [
        (number, [cell.strip() for cell in record])
        for number, record in enumerate(records, start=1)
        if any(cell.strip() for cell in record)
    ]
    if len(filled) < 2:  # noqa: PLR2004
        what = "holds no rows" if filled else "is empty"
        problems.append(_problem(file, what, "export the table again, a header and a row each"))
        return None
    (_, header), *rest = filled
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if repeated or "" in header:
        what = f"names columns twice: {repeated}" if repeated else "has a column without a name"
        problems.append(_problem(file, what, "give each column a name of its own", row=1))
        return None
    return Sheet(file, read_as, tuple(header), _rows(file, header, rest, problems))


def _rows(
    file: str, header: list[str], records: list[tuple[int, list[str]]], problems: list[Problem]
) -> tuple[Row, ...]:
    rows = []
    for number, record in records:
        if len(record) != len(header):
            what = f"has {len(record)} cells, and the header {len(header)}"
            mend = "quote cells that hold the separator, or correct the row"
            problems.append(_problem(file, what, mend, row=number))
            continue
        rows.append(Row(number, dict(zip(header, record, strict=True))))
    return tuple(rows)


def _problem(file: str, what: str, mend: str, row: int | None = None) -> Problem:
    return Problem(file, row, what, mend, reason=f"{file} cannot be read")


def _unreadable(file: str, what: str, mend: str) -> UnreadableSheetError:
    return UnreadableSheetError(_problem(file, what, mend))
