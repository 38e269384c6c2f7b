"""Who the patients of each role were: the first table of a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.study.cohort import Category, Cohort, Number

EVERYBODY = "all"
MISSING = "missing"

Groups = Mapping[str, pd.DataFrame]
Row = dict[str, str]


def baseline(cohort: pd.DataFrame, roles: pd.DataFrame, declared: Cohort) -> pd.DataFrame:
    """Text as printed: a row per characteristic and level, a column for everybody and per role.

    Numbers are median (lower to upper quartile), levels are count (% of the patients in whom the
    characteristic is known), missing values count (% of all patients of the role). `roles` has
    patient and role, a row per patient; a role that everybody has is everybody's column.
    """
    known = tables.join(cohort, roles[["patient", "role"]], "roles for the baseline table")
    groups = {EVERYBODY: known} | {
        role: known[known["role"] == role]
        for role in tables.ROLES
        if 0 < (known["role"] == role).sum() < len(known)
    }
    return pd.DataFrame(list(_rows(groups, declared)), columns=["characteristic", "level", *groups])


def _rows(groups: Groups, declared: Cohort) -> Iterator[Row]:
    yield _row("patients", "", {name: f"{len(group)}" for name, group in groups.items()})
    sites = sorted(set(groups[EVERYBODY]["site"]))
    yield from _levels("site", "site", {site: site for site in sites}, groups)
    for name, label in declared.labels().items():
        yield _counted(label.means, "", name, 1, groups)
    for name, outcome in declared.times_to_event().items():
        yield _counted(f"{outcome.means}: event", "", f"{name}_event", 1, groups)
        yield _quartiles(f"{outcome.means}: time, {outcome.unit}", f"{name}_time", groups)
    for name, column in declared.clinical.items():
        yield from _clinical(name, column, groups)


def _clinical(name: str, column: Number | Category, groups: Groups) -> Iterator[Row]:
    said = column.describe or name.replace("_", " ")
    if isinstance(column, Number):
        said = f"{said}, {column.unit}"
        yield _quartiles(said, name, groups)
    else:
        yield from _levels(said, name, column.levels, groups)
    if groups[EVERYBODY][name].isna().any():
        missing = {
            role: _share(int(group[name].isna().sum()), len(group))
            for role, group in groups.items()
        }
        yield _row(said, MISSING, missing)


def _levels(said: str, name: str, levels: Mapping[str, str], groups: Groups) -> Iterator[Row]:
    for code, means in levels.items():
        yield _counted(said, means, name, code, groups)


def _counted(said: str, level: str, name: str, value: str | int, groups: Groups) -> Row:
    shares = {}
    for role, group in groups.items():
        present = group[name].dropna()
        shares[role] = _share(int((present == value).sum()), len(present))
    return _row(said, level, shares)


def _quartiles(said: str, name: str, groups: Groups) -> Row:
    summaries = {}
    for role, group in groups.items():
        present = group[name].dropna().astype(float)
        low, middle, high = (present.quantile(share) for share in (0.25, 0.5, 0.75))
        summaries[role] = (
            f"{middle:.1f} ({low:.1f} to {high:.1f})" if len(present) else "none known"
        )
    return _row(said, "", summaries)


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.1f} %)" if total else "none known"


def _row(characteristic: str, level: str, texts: Mapping[str, str]) -> Row:
    return {"characteristic": characteristic, "level": level, **texts}
