"""`dvc repro` with what surrounds it: lingering outputs removed, failures told in one sentence.

In dvc.yaml the stage `sync` waits for every study's report, so one study asks DVC for its report
alone, and MLflow is synced here.

DVC's standard output is left as it is, so that progress bars work. Its standard error is passed on
line by line: a stage says there, in one sentence, what went wrong, and DVC's own line about the
same failure is read for the exit code and not repeated.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from oncotrail.commands import git
from oncotrail.errors import StageBusy, UserFault
from oncotrail.record import RunRecord, folder
from oncotrail.stage import INTERRUPTED, WORK, guarded
from oncotrail.study.load import PARAMS, entries, foreach_section, read_yaml, study_of

_FAILED = re.compile(r"failed to reproduce '([^']+)': failed to run: .*, exited with (-?\d+)")
_BUSY = re.compile(r"failed to reproduce '([^']+)': '([^']+)' is busy, it is being blocked by")
_USER = re.compile(r"\(PID (\d+)\): (.*)")
_ADVICE = "If there are no processes with such PIDs"
_OUTPUT = re.compile(r"data/\$\{[^}]+\}/(\w+)(/\$\{key\})?")
_RECIPE = re.compile(r"^recipe:[ \t]*\w+", re.MULTILINE)
_SIGNALLED = 128


@dataclass(frozen=True)
class Reproduced:
    """How `dvc repro` ended: a study, or all of them, reproduced or stopped on the way."""

    exit_code: int
    stages_run: int
    failed: str | None = None  # the stage that stopped it
    signal: int | None = None  # that killed this stage


def reproduce(root: Path, study: str | None, *, debug: bool) -> Reproduced:
    """Run what is out of date, and sync MLflow: of one study, or of all."""
    for name in ("dvc.yaml", "dvc.lock"):
        git.refuse_conflict(root, name)
    if study is None:
        return _in_graph(root, [], debug=debug)
    outcome = _in_graph(root, [f"report@{study}"], debug=debug)
    return outcome if outcome.exit_code else _synced(root, outcome, debug=debug)


def reproduce_stage(root: Path, address: str, *, debug: bool) -> Reproduced:
    """Run one stage and what it needs, where out of date, and sync MLflow.

    On its way to a stage, `dvc repro` takes what the stage needs for itself, also to find that
    there is nothing to do, and is refused while another stage reads that. So what it needs is
    looked at first, which others may do too.
    """
    for name in ("dvc.yaml", "dvc.lock"):
        git.refuse_conflict(root, name)
    before = _up_to_date(root, _needed_by(root, address), debug=debug)
    if before.exit_code:
        return before
    outcome = _in_graph(root, ["--single-item", address], debug=debug)
    outcome = replace(outcome, stages_run=before.stages_run + outcome.stages_run)
    return outcome if outcome.exit_code else _synced(root, outcome, debug=debug)


def choose_recipe(root: Path, recipe: str) -> bool:
    """Write the recipe into params.yaml, where everybody sees it; whether that changed anything.

    A recipe that was in force for one command only would leave outputs that params.yaml denies.
    """
    path = root / PARAMS
    before = path.read_text(encoding="utf-8")
    after = _RECIPE.sub(f"recipe: {recipe}", before, count=1)
    if after != before:
        beside = path.with_name(f".{PARAMS}.partial")
        beside.write_text(after, encoding="utf-8")
        beside.replace(path)
    return after != before


def remove_undeclared(root: Path) -> Iterator[str]:
    """Remove outputs of stages that the study files no longer declare; yield what was removed.

    DVC leaves the folder of a network that was renamed, and the fusion would go on reading it. Only
    folders whose run.json says that a stage wrote them are touched, so never a raw cohort.
    """
    declared = _declared_stages(root)
    for path in sorted((root / "data").glob("*/**/run.json")):
        record = _record_at(path, root)
        if record is not None and (record.stage, record.name) not in declared:
            shutil.rmtree(path.parent)
            place = path.parent.relative_to(root).as_posix()
            yield f"removed {place}: no study file declares {record.stage}@{record.name} any more."


def _up_to_date(root: Path, addresses: list[str], *, debug: bool) -> Reproduced:
    """Run these stages and all before them, if any of them is out of date."""
    if not addresses:
        return Reproduced(0, 0)
    words = ["status", "--quiet", "--with-deps", *addresses]
    _, code = _run_dvc(root, words, _environment(debug=debug))
    if code in (0, INTERRUPTED):
        return Reproduced(code, 0)
    return _in_graph(root, addresses, debug=debug)


def _needed_by(root: Path, address: str) -> list[str]:
    """The stages whose outputs a stage reads."""
    stage, _, key = address.partition("@")
    declared = read_yaml(root / "dvc.yaml")["stages"][stage]["do"]
    found = [_OUTPUT.fullmatch(path) for path in declared.get("deps", [])]
    return [f"{of[1]}@{key if of[2] else study_of(key)}" for of in found if of]


def _in_graph(root: Path, targets: list[str], *, debug: bool) -> Reproduced:
    """`dvc repro` of these targets, options before them; without any, of the whole graph."""
    before = _figures_of_stages(root)
    failures, code = _run_dvc(root, ["repro", *targets], _environment(debug=debug))
    ran = len(_figures_of_stages(root) - before)
    if not failures:
        return Reproduced(code if code in (0, INTERRUPTED) else 1, ran)
    stage, stage_code = failures[-1]
    known = stage_code in (UserFault.exit_code, INTERRUPTED)
    return Reproduced(stage_code if known else 1, ran, stage, _signal_in(stage_code))


def _synced(root: Path, outcome: Reproduced, *, debug: bool) -> Reproduced:
    """What the graph's last stage does, told as it tells it."""
    from oncotrail.tracking.sync import sync

    def told() -> None:
        sys.stdout.write(f"sync: {sync(root)}\n")
        sys.stdout.flush()

    code = guarded(told, "sync", debug=debug)
    return replace(outcome, exit_code=code, failed="sync") if code else outcome


def _declared_stages(root: Path) -> set[tuple[str, str]]:
    """Every stage of the graph by name and key."""
    return {
        (stage, key)
        for stage, declared in read_yaml(root / "dvc.yaml")["stages"].items()
        for key in entries(foreach_section(declared), root)
    }


def _record_at(path: Path, root: Path) -> RunRecord | None:
    """The record of the stage that wrote this folder; nothing if the file is somebody else's."""
    try:
        record = RunRecord.read(path)
    except (ValueError, TypeError):
        return None
    member = None if record.name == record.study else record.name
    place = folder(root, record.study, record.stage, member)
    return record if place == path.parent else None


def _environment(*, debug: bool) -> dict[str, str]:
    """The caller's, with this environment's programs first and DVC's telemetry off."""
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    asked = {"ONCOTRAIL_DEBUG": "1"} if debug else {}
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", **asked}


def _run_dvc(
    root: Path, words: list[str], environment: dict[str, str]
) -> tuple[list[tuple[str, int]], int]:
    """Run dvc; the stages that failed with their exit codes, and its own exit code."""
    process = subprocess.Popen(  # noqa: S603 - our own dvc
        [str(Path(sys.executable).parent / "dvc"), *words],
        cwd=root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    failures: list[tuple[str, int]] = []
    with process, _sigterm_ends(process):
        try:
            _pass_on(process.stderr or (), failures)
            return failures, process.wait()
        except KeyboardInterrupt:  # dvc and its stage were told as well: hear them out
            _pass_on(process.stderr or (), failures)
            process.wait()
            return failures, INTERRUPTED


def _pass_on(lines: Iterable[str], failures: list[tuple[str, int]]) -> None:
    lines = iter(lines)
    for line in lines:
        found, busy = _FAILED.search(line), _BUSY.search(line)
        if found:
            failures.append((found[1], int(found[2])))
            continue
        if busy:
            failures.append((busy[1], StageBusy.exit_code))
        sys.stderr.write(_in_use(busy[1], busy[2], lines) if busy else line)
        sys.stderr.flush()


def _in_use(stage: str, path: str, lines: Iterator[str]) -> str:
    """What DVC says of it in several lines; its advice, to remove the locks, is dropped.

    Without them two processes would write the same output.
    """
    said = takewhile(lambda line: not line.startswith(_ADVICE), lines)
    users = [f"process {user[1]} ({user[2]})" for line in said if (user := _USER.search(line))]
    return f"{stage}: {path} is in use by {', '.join(users)}; wait for it, or end it.\n"


@contextmanager
def _sigterm_ends(process: subprocess.Popen[str]) -> Iterator[None]:
    """`kill` of this command ends dvc too, and dvc's end ends the stage."""

    def end(_signal: int, _frame: object) -> None:
        process.terminate()
        sys.exit(_SIGNALLED + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _figures_of_stages(root: Path) -> set[tuple[str, int]]:
    """What each stage that ended left of its figures of this machine, and when."""
    figures = (root / WORK / "runs").glob("*.json")
    return {(path.name, path.stat().st_mtime_ns) for path in figures}


def _signal_in(exit_code: int) -> int | None:
    """The signal that killed a process: -9 from a child, 137 from a shell."""
    if exit_code < 0:
        return -exit_code
    is_ours = exit_code == INTERRUPTED
    return exit_code - _SIGNALLED if exit_code > _SIGNALLED and not is_ours else None
