"""A table is read whatever program exported it, and how is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncotrail.acquire.findings import Problem
from oncotrail.acquire.sheet import Sheet, read_sheet

TABLE = "编号,医院,备注\nP1,协和医院,复发\nP2,华西医院,无\n"


def read(
    tmp_path: Path, data: bytes, encoding: str | None = None
) -> tuple[Sheet | None, list[Problem]]:
    (tmp_path / "clinical.csv").write_bytes(data)
    problems: list[Problem] = []
    return read_sheet(tmp_path / "clinical.csv", encoding, problems), problems


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-8", "UTF-8, separated by commas"),
        ("utf-8-sig", "UTF-8 with a byte order mark, separated by commas"),
        ("utf-16", "UTF-16, separated by commas"),
        ("gbk", "GB18030 (GBK), separated by commas"),
        ("gb18030", "GB18030 (GBK), separated by commas"),
    ],
)
def test_encodings_are_recognised_and_said(tmp_path: Path, codec: str, said: str) -> None:
    sheet, problems = read(tmp_path, TABLE.encode(codec))
    assert problems == []
    assert sheet.read_as == said
    assert sheet.header == ("编号", "医院", "备注")
    assert sheet.rows[1].cells == {"编号": "P2", "医院": "华西医院", "备注": "无"}


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(tmp_path: Path, codec: str) -> None:
    sheet, problems = read(tmp_path, b"id,age\nP1,50\n".decode().encode(codec))
    assert (problems, sheet.header) == ([], ("id", "age"))


def test_a_western_encoding_is_not_taken_for_chinese(tmp_path: Path) -> None:
    western = "id,hospital\nP1,Universitätsklinikum Köln\nP2,Hôpital Saint-Antoine\n"
    sheet, problems = read(tmp_path, western.encode("cp1252"))
    assert sheet is None
    assert "acquire.encoding: cp1252" in problems[0].mend
    sheet, problems = read(tmp_path, western.encode("cp1252"), "cp1252")
    assert sheet.rows[0].cells["hospital"] == "Universitätsklinikum Köln"
    assert sheet.read_as == "cp1252, as declared, separated by commas"


@pytest.mark.parametrize(
    ("encoding", "what"), [("utf-8", "is not utf-8"), ("latin-9000", "which is no encoding")]
)
def test_a_declared_encoding_must_be_right(tmp_path: Path, encoding: str, what: str) -> None:
    sheet, problems = read(tmp_path, TABLE.encode("gbk"), encoding)
    assert sheet is None
    assert what in problems[0].what


@pytest.mark.parametrize(("mark", "said"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators(tmp_path: Path, mark: str, said: str) -> None:
    sheet, problems = read(tmp_path, TABLE.replace(",", mark).encode())
    assert problems == []
    assert sheet.read_as == f"UTF-8, separated by {said}"


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, b'id,note\nP1,a\n\nP2,"b\nstill b"\nP3,c\n')
    assert [row.number for row in sheet.rows] == [2, 4, 5]
    assert sheet.rows[1].cells["note"] == "b\nstill b"


@pytest.mark.parametrize(
    ("data", "row", "what"),
    [
        (b"", None, "is empty"),
        (b"id,age\n", None, "holds no rows"),
        (b"id,age,age\nP1,5,6\n", 1, "names columns twice: ['age']"),
        (b"id,,age\nP1,5,6\n", 1, "has a column without a name"),
        (b"id,age\nP1,5,6\nP2,4\n", 2, "has 3 cells, and the header 2"),
        (b'id,age\nP1,"5\nP2,4\n', None, "is not a CSV table"),
        (b"\xff\xfeodd", None, "is not UTF-16"),
    ],
)
def test_what_is_no_table_is_a_problem(
    tmp_path: Path, data: bytes, row: int | None, what: str
) -> None:
    _, problems = read(tmp_path, data)
    assert what in problems[0].what
    assert problems[0].row == row


def test_a_missing_table(tmp_path: Path) -> None:
    problems: list[Problem] = []
    assert read_sheet(tmp_path / "clinical.csv", None, problems) is None
    assert problems[0].what == "is missing"
