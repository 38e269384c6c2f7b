"""What surrounds every stage: the only code that reads params, locks, logs and opens runs.

    def main(settings: Settings, run: Run) -> None: ...

    if __name__ == "__main__":
        stage.run(main)

The output is filled in a folder beside its place and renamed at the end, so a kill leaves nothing
half-written. A stage ends when the process that asked for it is gone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from oncotrail.errors import StageBusy, UserFault, foreseen
from oncotrail.graph import StageInGraph, digest, stage_in_graph
from oncotrail.record import Nested, Run, RunRecord, Scalar, finite, folder, sha256_of
from oncotrail.study.base import Settings
from oncotrail.study.load import Loaded, load, study_of
from oncotrail.tracking.provenance import provenance

if TYPE_CHECKING:
    from oncotrail.tracking.runs import LiveRun

WORK = ".oncotrail"  # work in progress: outside DVC's outputs, never in git
LOCK_WAIT_SECONDS = 10.0
INTERRUPTED = 130

Main = Callable[[Any, Run], None]


def run(main: Main) -> NoReturn:
    """Run one stage from the command line: `python -m pipelines.<stage> <key> [--debug]`."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = "--debug" in sys.argv or os.environ.get("ONCOTRAIL_DEBUG") == "1"
    name = _stage_name()
    key = arguments[0] if arguments else ""
    sys.exit(
        guarded(
            lambda: execute(main, name, key, Path.cwd()),
            f"{name}@{key}" if key else name,
            debug=debug,
        )
    )


def guarded(work: Callable[[], object], where: str, *, debug: bool) -> int:
    """Do `work`; turn what goes wrong into one sentence and an exit code."""
    try:
        work()
    except KeyboardInterrupt:
        return _tell(
            where,
            "interrupted; nothing was left half-written. Run make repro to go on.",
            INTERRUPTED,
        )
    except Exception as error:
        fault = foreseen(error)
        if fault is None:
            raise
        if debug:
            traceback.print_exc()
        return _tell(where, str(fault), fault.exit_code)
    return 0


def execute(main: Main, name: str, key: str, root: Path) -> RunRecord:
    """Run one stage in `root`: settings, lock, main, record, rename."""
    started, facts = time.monotonic(), provenance(root)
    loaded = load(_settings_type(main), key, root)
    place = stage_in_graph(name, key, root)
    with _dying_with_parent(), _locked(root, name, key):
        staged = StageRun(root, place, loaded)
        try:
            main(loaded.settings, staged)
            record = staged.finish()
        except BaseException:
            staged.abandon()
            raise
    _write_sidecar(root, record, facts, time.monotonic() - started)
    return record


class StageRun:
    """The real `Run`: fills a folder beside the output, streams epochs, writes run.json."""

    def __init__(self, root: Path, place: StageInGraph, loaded: Loaded[Any]) -> None:
        self.root = root
        self.study = study_of(place.key)
        self.stage = place.name
        self.key = place.key
        self._place = place
        self._loaded = loaded
        self.work = root / WORK
        self.dependencies: Mapping[str, str] = {
            path: digest(root / path) for path in place.dependencies
        }
        self._params: dict[str, Scalar] = {}
        self._metrics: dict[str, float] = {}
        self._history: dict[str, list[list[float]]] = {}
        self._on_members: dict[str, dict[str, float]] = {}
        self._nested: dict[str, Nested] = {}
        self._artifacts: list[Path] = []
        self._live: LiveRun | None = None
        self.run_key = run_key(f"{self.stage}@{self.key}", self._loaded.settings, self.dependencies)
        self.checkpoints = root / WORK / "checkpoints" / self.run_key
        beside = root / WORK / "partial" / f"{place.name}@{place.key}"
        shutil.rmtree(beside, ignore_errors=True)
        self.out = beside / "out"
        self.results = beside / "results"
        self.out.mkdir(parents=True)
        self.results.mkdir()

    def folder(self, stage: str, member: str | None = None) -> Path:
        return folder(self.root, self.study, stage, member)

    def params(self, values: Mapping[str, Scalar]) -> None:
        self._params.update(values)

    def metrics(self, values: Mapping[str, float]) -> None:
        self._metrics.update(finite(values))

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        for name, value in finite(values).items():
            self._history.setdefault(name, []).append([epoch, value])
        self._shown_live().epoch(epoch, values)

    def nested_epoch(self, name: str, epoch: int, values: Mapping[str, float]) -> None:
        self._shown_live().epoch(epoch, finite(values), below=name)

    def nested(self, name: str, run: Nested) -> None:
        known, self._nested[name] = self._nested.get(name), run
        if self._live is not None and known is None:
            self._live.ended(name, run)

    def artifact(self, path: Path) -> None:
        self._artifacts.append(path)

    def reports_on(self, member: str, values: Mapping[str, float]) -> None:
        self._on_members.setdefault(member, {}).update(finite(values))

    def say(self, line: str) -> None:
        print(f"{self.stage}@{self.key}: {line}", flush=True)

    def finish(self) -> RunRecord:
        """Write run.json and rename everything into place."""
        artifacts = {
            path.relative_to(self.out).as_posix(): sha256_of(path)
            for path in sorted(self._artifacts)
        }
        record = self._record(artifacts)
        record.write(self.out / "run.json")
        self._publish()
        shutil.rmtree(
            self.checkpoints, ignore_errors=True
        )  # the output is there: nothing to resume
        if self._live is not None:
            self._live.close()
        return record

    def abandon(self) -> None:
        """Leave nothing of a stage that failed: on a full disk, the half that was written too."""
        shutil.rmtree(self.out.parent, ignore_errors=True)

    def _shown_live(self) -> LiveRun:
        """The run in MLflow, opened when there is something to show."""
        if self._live is None:
            from oncotrail.tracking.runs import open_live_run

            self._live = open_live_run(self.root, self._record({}))
        return self._live

    def _publish(self) -> None:
        member = None if self.key == self.study else self.key
        final = self.folder(self.stage, member)
        shutil.rmtree(final, ignore_errors=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.results.iterdir()):
            target = self.root / "results" / self.study / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        _move(self.out, final)
        shutil.rmtree(self.out.parent, ignore_errors=True)

    def _record(self, artifacts: dict[str, str]) -> RunRecord:
        return RunRecord(
            study=self.study,
            stage=self.stage,
            name=self.key,
            key=self.run_key,
            recipe=self._loaded.recipe,
            seed=getattr(self._loaded.settings, "seed", None),
            params=dict(self._params),
            bent={place: list(pair) for place, pair in self._loaded.bent.items()},
            dependencies=dict(self.dependencies),
            metrics=self._metrics,
            history=self._history,
            artifacts=artifacts,
            on_members=self._on_members,
            nested=self._nested,
        )


def run_key(address: str, settings: Settings, dependencies: Mapping[str, str]) -> str:
    """The digest of a stage with all that it reads: the same key means the same run."""
    asked = {
        "stage": address,
        "settings": settings.model_dump(mode="json"),
        "dependencies": dict(dependencies),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _move(source: Path, target: Path) -> None:
    """Rename a folder; where `data` is another disk, copy it beside its place first."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.partial")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(source, beside)
        beside.replace(target)


def _settings_type(main: Main) -> type[Settings]:
    hints = typing.get_type_hints(main)
    kind: type[Settings] = next(iter(hints.values()))
    return kind


def _stage_name() -> str:
    spec = sys.modules["__main__"].__spec__
    if spec is None:
        message = (
            "run a stage as a module, so that imports resolve: python -m pipelines.<stage> <key>."
        )
        raise UserFault(message)
    return spec.name.rsplit(".", 1)[-1]


def _tell(where: str, sentence: str, code: int) -> int:
    print(f"{where}: {sentence}", file=sys.stderr, flush=True)
    return code


@contextmanager
def _locked(root: Path, name: str, key: str) -> Iterator[None]:
    """Hold the stage's lock; the kernel frees it however the holder ends."""
    path = root / WORK / "locks" / f"{name}@{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while not _try_lock(file):
            if time.monotonic() > deadline:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                message = f"process {holder} is still filling this output; wait for it, or end it."
                raise StageBusy(message)
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_lock(file: typing.TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _dying_with_parent() -> Iterator[None]:
    """End when the one that asked is gone: `kill -9` of dvc orphans its stage."""
    asked_by = _ancestors()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            if any(not _alive(pid, born) for pid, born in asked_by):
                os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="dying-with-parent").start()
    try:
        yield
    finally:
        stop.set()


def _ancestors() -> list[tuple[int, float]]:
    """The shell and the dvc above us, with their start times; nobody, where no dvc asked."""
    if "DVC_STAGE" not in os.environ:
        return []
    import psutil

    found = []
    try:
        for parent in psutil.Process().parents():
            found.append((parent.pid, parent.create_time()))
            if any(Path(word).name.startswith("dvc") for word in parent.cmdline()[:3]):
                return found
    except psutil.NoSuchProcess:  # ended meanwhile, or a zombie: then so do we
        return found
    return found[:1]


def _alive(pid: int, born: float) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        return process.create_time() == born and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _write_sidecar(root: Path, record: RunRecord, facts: Mapping[str, str], seconds: float) -> None:
    """What only this machine knows of the run: kept out of the outputs, shown by `sync`."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    path = root / WORK / "runs" / f"{record.key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = {"system/seconds": round(seconds, 2), "system/peak_memory_mib": round(peak, 1)}
    known = {"figures": figures, "facts": facts}
    path.write_text(json.dumps(known), encoding="utf-8")
