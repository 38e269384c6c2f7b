"""The page that says what each statistic was proven against is complete."""

import re
from importlib import import_module

from tests.statistics.write_reference import PAGE, modules, public_functions, rounded_up

HEADING = re.compile(r"^## (\S+)$")
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| (\S+) \|$")


def on_page() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    module = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := HEADING.match(line):
            module = heading[1].replace("/", ".")
        elif row := ROW.match(line):
            found.setdefault(f"{module}.{row[1]}", []).append(row[2])
    return found


def test_every_public_function_has_an_oracle() -> None:
    missing = set(public_functions()) - set(on_page())
    assert not missing, "compare them through tests.statistics.oracles.agree and write the page"


def test_every_row_is_of_something_that_exists() -> None:
    for function in on_page():
        module = next(name for name in modules() if function.startswith(f"{name}."))
        found = import_module(f"oncotrail.statistics.{module}")
        for part in function.removeprefix(f"{module}.").split("."):
            found = getattr(found, part)
        assert callable(found), function


def test_a_difference_is_never_rounded_down() -> None:
    for difference in (1e-9, 1.1e-9, 9.9e-9):
        assert float(rounded_up(difference)) >= difference * (1 - 1e-9)
