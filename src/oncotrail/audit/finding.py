"""What a check found: how much it looked at, and each violation with its patients and its mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oncotrail.errors import AuditFailed

MOST_NAMED = 20  # patients named in a message


@dataclass(frozen=True)
class Violation:
    """One thing that makes the numbers wrong."""

    object: str  # the table, image or fitted object that is at fault
    patients: tuple[str, ...]  # pseudonyms, sorted
    says: str
    mend: str

    def __str__(self) -> str:
        named = ", ".join(self.patients[:MOST_NAMED])
        more = len(self.patients) - MOST_NAMED
        who = f" ({named}{f' and {more} more' if more > 0 else ''})" if self.patients else ""
        return f"{self.object}: {self.says}{who}. {self.mend}"


@dataclass(frozen=True)
class Finding:
    """A check's answer: `looked` counts what it compared, by what that is."""

    check: str
    looked: Mapping[str, int]
    violations: tuple[Violation, ...]

    @property
    def looked_at(self) -> int:
        """How many things it compared in all."""
        return sum(self.looked.values())

    @property
    def patients(self) -> tuple[str, ...]:
        """Everybody whom a violation names."""
        return tuple(sorted({name for found in self.violations for name in found.patients}))

    @property
    def says(self) -> str:
        """One sentence for the report."""
        wrong = f"{len(self.violations)} violations" if self.violations else "nothing wrong"
        return f"{wrong} among {self.looked_at} looked at"

    def entry(self) -> dict[str, object]:
        """What audit.json has of it."""
        return {
            "check": self.check,
            "looked_at": self.looked_at,
            "looked": dict(self.looked),
            "says": self.says,
        }


def violation(object_: str, patients: Iterable[object], says: str, mend: str) -> list[Violation]:
    """One violation if it concerns anybody, else none."""
    names = tuple(sorted({str(patient) for patient in patients}))
    return [Violation(object_, names, says, mend)] if names else []


def found(check: str, looked: Mapping[str, int], violations: Iterable[Violation]) -> Finding:
    """A finding; to have looked at nothing is a violation too."""
    nothing = [what for what, count in looked.items() if count == 0]
    vacuous = [
        Violation(what, (), "there was nothing to look at", "Run the stages that fill it again.")
        for what in (nothing if looked else ["every table"])
    ]
    return Finding(check, dict(looked), (*vacuous, *violations))


def refuse_violations(findings: Iterable[Finding]) -> None:
    """Raise with all violations of all checks, or return."""
    lines = [f"{finding.check}: {wrong}" for finding in findings for wrong in finding.violations]
    if lines:
        counted = "a violation" if len(lines) == 1 else f"{len(lines)} violations"
        raise AuditFailed(
            f"{counted}; the numbers of this study are not to be used.\n" + "\n".join(lines)
        )
