"""Is what was made here what git holds? Each figure: identical, within tolerance or different.

A reproduction runs the committed code on the committed settings. Where those were edited it is an
experiment: the differences are what one wants to see, and none of them is a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from oncotrail.commands import git
from oncotrail.commands.figures_in import Curve, Figure, Steps, distance, figures_in
from oncotrail.errors import ReproductionDiffers, UserFault
from oncotrail.study.load import PARAMS, read_yaml
from oncotrail.study.params import Params, Tolerance

DECIDES_THE_RESULT = ["params.yaml", "studies", "src", "pipelines", "dvc.yaml", "requirements.lock"]
_MOST_OF_AN_EXPERIMENT = 20

Verdict = Literal["identical", "within tolerance", "different"]


@dataclass(frozen=True)
class Compared:
    """One figure, here and in git."""

    file: str
    steps: Steps
    here: Figure
    there: Figure
    apart: float
    tolerance: float

    @property
    def verdict(self) -> Verdict:
        if self.apart == 0:
            return "identical"
        return "within tolerance" if self.apart <= self.tolerance else "different"

    def sentence(self) -> str:
        """What was found and what was expected."""
        name = f"{self.file}: {'.'.join(self.steps)}"
        if isinstance(self.here, Curve) and isinstance(self.there, Curve):
            return f"{name}: curves {self.apart:.4f} apart (tolerance {self.tolerance:g})"
        values = f"{_shown(self.here)} here, {_shown(self.there)} in git"
        return f"{name}: {values} (tolerance {self.tolerance:g})"


@dataclass(frozen=True)
class Verification:
    """What was compared, and whether it was a reproduction at all."""

    figures: tuple[Compared, ...] = ()
    edited: tuple[str, ...] = ()  # files that make this an experiment
    outputs_same: int = 0  # of dvc.lock, by digest
    outputs: int = 0
    studies: tuple[str, ...] = field(default=())

    def having(self, verdict: Verdict) -> list[Compared]:
        """The figures with this verdict."""
        return [figure for figure in self.figures if figure.verdict == verdict]

    def lines(self) -> Iterator[str]:
        """What a person wants to read."""
        if not self.figures:
            yield "verify: nothing to compare with: commit results/ and dvc.lock as the reference."
            return
        if self.edited:
            yield f"verify: an experiment, not a reproduction: {_some(self.edited)} changed."
        counts = ", ".join(
            f"{len(self.having(verdict))} {verdict}"
            for verdict in ("identical", "within tolerance", "different")
        )
        yield f"verify: {len(self.figures)} figures against git: {counts}."
        yield from self._named()
        if self.outputs:
            same = f"{self.outputs_same} of {self.outputs}"
            yield f"verify: {same} outputs in dvc.lock are the same to the byte (for information)."

    def _named(self) -> Iterator[str]:
        """Each figure that moved; of an experiment, where many do, the first."""
        moved = [*self.having("different"), *self.having("within tolerance")]
        shown = moved[:_MOST_OF_AN_EXPERIMENT] if self.edited else moved
        for figure in shown:
            yield f"  {figure.verdict}: {figure.sentence()}"
        if len(shown) < len(moved):
            yield f"  and {len(moved) - len(shown)} more: git diff results/"

    def judge(self) -> None:
        """Raise where a reproduction differs; an experiment may."""
        different = self.having("different")
        if different and not self.edited:
            message = (
                f"{len(different)} of {len(self.figures)} figures differ from git beyond their "
                "tolerance (named above); if the change is meant, commit results/ and dvc.lock "
                "and say why in CHANGELOG.md under Changes results."
            )
            raise ReproductionDiffers(message)


def verify(root: Path, studies: Iterable[str]) -> Verification:
    """Compare the result files of these studies with those in HEAD."""
    tolerance = Params.read(read_yaml(root / PARAMS), PARAMS).tolerance
    chosen = tuple(studies)
    figures = tuple(
        figure
        for study in chosen
        for path in _result_files(root, study)
        for figure in _compared(root, path, tolerance)
    )
    same, outputs = _outputs(root)
    edited = tuple(git.changed(root, DECIDES_THE_RESULT))
    return Verification(figures, edited, same, outputs, chosen)


def _result_files(root: Path, study: str) -> list[str]:
    """Files that git holds, and files that were made here beside them."""
    there = git.committed_below(root, f"results/{study}")
    if not there:
        return []
    here = [path.relative_to(root).as_posix() for path in (root / "results" / study).glob("*")]
    return sorted(path for path in {*there, *here} if path.endswith((".json", ".csv")))


def _compared(root: Path, path: str, tolerance: Tolerance) -> Iterator[Compared]:
    here, there = _here(root, path), _there(root, path)
    for steps in sorted({*here, *there}):
        if steps in here and steps in there:
            apart = distance(here[steps], there[steps])
        else:
            apart = float("inf")
        yield Compared(
            path,
            steps,
            here.get(steps),
            there.get(steps),
            apart,
            tolerance.of((Path(path).stem, *steps)),
        )


def _here(root: Path, path: str) -> dict[Steps, Figure]:
    if not (root / path).exists():
        return {}
    try:
        return figures_in(path, (root / path).read_text(encoding="utf-8"))
    except ValueError as error:
        message = (
            f"{path} is damaged ({error}); it is a result that git keeps: git checkout {path} "
            "brings the committed one back, make repro makes it anew."
        )
        raise UserFault(message) from None


def _there(root: Path, path: str) -> dict[Steps, Figure]:
    text = git.committed(root, path)
    try:
        return {} if text is None else figures_in(path, text)
    except ValueError as error:
        message = (
            f"{path} as the last commit has it is damaged ({error}); run make repro, and commit "
            "the file that it makes."
        )
        raise UserFault(message) from None


def _outputs(root: Path) -> tuple[int, int]:
    """How many outputs have the digest that git's dvc.lock says, of how many in both."""
    from ruamel.yaml import YAML

    git.refuse_conflict(root, "dvc.lock")
    text = git.committed(root, "dvc.lock")
    if text is None or not (root / "dvc.lock").exists():
        return 0, 0
    there = _digests(YAML(typ="safe", pure=True).load(text))
    here = _digests(read_yaml(root / "dvc.lock"))
    both = here.keys() & there.keys()
    return sum(here[path] == there[path] for path in both), len(both)


def _digests(lock: dict[str, Any]) -> dict[str, str]:
    return {
        out["path"]: out["md5"]
        for stage in (lock.get("stages") or {}).values()
        for out in stage.get("outs", [])
    }


def _shown(value: Figure) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "nothing" if value is None else str(value)


def _some(paths: tuple[str, ...], most: int = 4) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more
