"""Where everything came from: runs, code, data, versions."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata

from oncotrail.record import RunRecord, Scalar
from oncotrail.reports.cells import Cell, Grid, digest, plain, run_key, words

PACKAGES = (
    "oncotrail",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "imbalanced-learn",
    "numpy",
    "scipy",
    "pandas",
    "pydicom",
    "matplotlib",
)
CODE = ("pipelines/", "src/")
_DRAWN = re.compile(r"data/\w+/demo/")


def provenance(records: Sequence[RunRecord], split_digest: str) -> tuple[Grid, ...]:
    """Four tables: the runs, what each read, what each was asked, and the installed versions."""
    return (_runs(records, split_digest), _data(records), _asked(records), versions())


def demo_cohort(records: Iterable[RunRecord]) -> str | None:
    """The cohort that the stage demo drew; nothing where the patients lived."""
    read = (path for record in records for path in record.dependencies)
    return next((path for path in read if _DRAWN.match(path)), None)


def address(record: RunRecord) -> str:
    """A run by its stage, and its network where it has one; the study is the same for all."""
    network = "" if record.name == record.study else record.name.removeprefix(f"{record.study}-")
    return f"{record.stage} {network}".rstrip()


def code_digest(record: RunRecord) -> str:
    """One digest of all the code that a run depends on."""
    lines = [f"{path} {md5}" for path, md5 in sorted(record.dependencies.items()) if _is_code(path)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def versions(packages: Sequence[str] = PACKAGES) -> Grid:
    """The versions installed where this page was made."""
    rows = [(Cell("Python"), Cell(platform.python_version()))]
    rows += [(Cell(name), Cell(metadata.version(name))) for name in packages]
    caption = "Versions, as installed where this page was made"
    return Grid(caption, ("Package", "Version"), tuple(rows))


def _runs(records: Sequence[RunRecord], split_digest: str) -> Grid:
    rows = tuple(
        (
            Cell(address(record)),
            run_key(record.key),
            Cell("none needed" if record.seed is None else str(record.seed)),
            replace(digest(code_digest(record)), under=_files(record)),
            Cell(record.recipe),
        )
        for record in records
    )
    caption = f"Runs (split digest {split_digest})"
    columns = ("Stage", "Run key", "Seed", "Digest of its code", "Recipe")
    return Grid(caption, columns, rows, _how_drawn(demo_cohort(records)))


def _how_drawn(cohort: str | None) -> str:
    """What is said of the one run that this page does not read."""
    if cohort is None:
        return ""
    record = "/".join([*cohort.split("/")[:3], "run.json"])
    return f"The stage demo drew {cohort}, which stands under Data below; its own run is {record}."


def _data(records: Sequence[RunRecord]) -> Grid:
    """Each input once, with the stages that read it."""
    read: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for path, md5 in sorted(record.dependencies.items()):
            if not _is_code(path):
                read.setdefault((path, md5), []).append(address(record))
    rows = tuple(
        (Cell(path), digest(md5), Cell(", ".join(readers))) for (path, md5), readers in read.items()
    )
    return Grid("Data: what the runs read, by digest", ("Input", "md5", "Read by"), rows)


def _asked(records: Sequence[RunRecord]) -> Grid:
    rows = tuple((Cell(address(record)), Cell(_in_a_line(record.params))) for record in records)
    return Grid("Settings of each run", ("Stage", "Settings"), rows)


def _in_a_line(params: Mapping[str, Scalar]) -> str:
    known = {name: value for name, value in sorted(params.items()) if value not in {"", None}}
    said = [f"{words(name).replace('.', ' ')}: {plain(value)}" for name, value in known.items()]
    return "; ".join(said) or "none recorded"


def _files(record: RunRecord) -> str:
    count = sum(map(_is_code, record.dependencies))
    return "1 file" if count == 1 else f"{count} files"


def _is_code(path: str) -> bool:
    return path.startswith(CODE)
