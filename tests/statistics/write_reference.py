"""Write docs/reference/statistics.md: what each statistic was proven against, and how near it came.

python -m tests.statistics.write_reference
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.statistics.oracles import COMPARED, Compared

HERE = Path(__file__).parent
OWN_TEST = HERE / "test_reference_page.py"  # which reads the page that is yet to be written
ROOT = HERE.parents[1]
ROOM = ROOT / "src" / "oncotrail" / "statistics"
PAGE = ROOT / "docs" / "reference" / "statistics.md"
DOORS = ("arrays", "coding", "results")  # checks and holders, and no statistics
HEAD = """\
# Statistics, and what each was proven against

Written by `python -m tests.statistics.write_reference`, which runs the tests of `statistics/` and
remembers every comparison. The largest difference is relative to the oracle's number, or absolute
where that is less, and rounded up to a power of ten. Oracles with `::` are functions of R packages,
with the package's version; a bare name is base R's. "definition" is a second derivation in the
test, straight from the definition, and "worked example" the paper's own. R's answers are in
`tests/reference/`, beside the scripts that wrote them.

Conventions that differ from R's everywhere: blanks are refused and never dropped, a figure without
spread has no interval (R often prints one of no width). In discrimination and classification
weights are those of sampling, whose scale does not matter. Elsewhere they are case weights: whole
numbers count patients, so that a weight of 2 is the row twice, and fractions have the robust
(sandwich) variance, so that their scale does not matter either. Three exceptions, which are R's
too: tests by the likelihood (ratio, score, proportional hazards) take any weight for a count, a
concordance's variance takes a row for one patient, and knots and neighbourhoods of curves are of
rows.
"""


def main() -> None:
    """Run the comparisons, then write the page."""
    code = pytest.main(["-q", "-p", "no:cacheprovider", f"--ignore={OWN_TEST}", str(HERE)])
    if code:
        sys.exit(int(code))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(list(COMPARED.values())), encoding="utf-8")


def page(compared: list[Compared]) -> str:
    """The whole page: a table for each module."""
    lines = [HEAD]
    rows = sorted(compared, key=lambda row: (row.function, row.oracle))
    for module, found in groupby(rows, key=lambda row: _module(row.function)):
        lines += [f"## {module.replace('.', '/')}", "", f"{_first_line(module)}", ""]
        lines += ["| function | oracle | largest difference |", "|---|---|---|"]
        lines += [
            f"| `{row.function.removeprefix(f'statistics.{module}.')}` | {row.oracle} "
            f"| {rounded_up(row.largest)} |"
            for row in found
        ]
        lines.append("")
    return "\n".join(lines)


def rounded_up(difference: float) -> str:
    """To a power of ten, so that another processor writes the same page.

    >>> rounded_up(0.0), rounded_up(3.2e-9), rounded_up(1e-17)
    ('0', '1e-08', '1e-15')
    """
    if difference == 0:
        return "0"
    return f"1e-{min(15, -math.ceil(math.log10(difference))):02d}"


def modules() -> dict[str, Path]:
    """Every module of the room but its doors, as `discrimination.area`, and where it is."""
    found = {
        ".".join(path.relative_to(ROOM).with_suffix("").parts): path for path in ROOM.rglob("*.py")
    }
    return {name: found[name] for name in sorted(found) if name not in DOORS}


def public_functions() -> Iterator[str]:
    """Every public function of the room, as `discrimination.area.auc`."""
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{module}.{node.name}"


def _module(function: str) -> str:
    """`statistics.discrimination.area.auc` -> `discrimination.area`; a method's class goes too."""
    parts = function.split(".")[1:]
    path = ROOM
    for place, part in enumerate(parts):
        path = path / part
        if path.with_suffix(".py").is_file():
            return ".".join(parts[: place + 1])
    raise ValueError(f"{function} is in no module of {ROOM.name}")


def _first_line(module: str) -> str:
    path = ROOM.joinpath(*module.split(".")).with_suffix(".py")
    return str(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))).split("\n\n")[0]


if __name__ == "__main__":
    main()
