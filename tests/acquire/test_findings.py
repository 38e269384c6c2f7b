"""What a person sees on the terminal."""

import io

from rich.console import Console

from oncotrail.acquire.findings import Exclusion, Problem, exclusions_table, problems_table


def shown(table: object) -> str:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(table)
    return console.export_text()


def test_problems_are_shown_with_file_row_what_and_mend() -> None:
    problem = Problem("clinical.csv", 4, "age is [red]", "correct it", "age", "H3")
    text = shown(problems_table([problem], "problems"))
    for part in ("clinical.csv", "4", "age is [red]", "correct it"):
        assert part in text


def test_very_many_problems_are_cut_and_counted() -> None:
    problems = [Problem("a.csv", row, f"fault {row}", "mend", "fault") for row in range(2, 30)]
    text = shown(problems_table(problems, "problems", most=10))
    assert "fault 11" in text
    assert "fault 12" not in text
    assert "and 18 more" in text


def test_who_is_kept_out_is_shown() -> None:
    text = shown(exclusions_table([Exclusion("H3", "eligibility", "too young")]))
    assert "H3" in text
    assert "too young" in text
