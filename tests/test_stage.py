"""Bad days: what a stage leaves behind, and what it says."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from oncotrail import stage
from oncotrail.errors import StageBusy, StudyFileError, TrainingFault
from oncotrail.record import Run, RunRecord
from oncotrail.study import base
from oncotrail.study.split import SplitPlan
from tests.small_repository import STUDY, small_repository, start_probe

WAIT = 30.0
SLEEPS = """\
import time
    (run.out / "half.txt").write_text("half")
    print("begun", flush=True)
    time.sleep(60)"""
DIES_IN_PROCESS = Callable[[Any, Run], None]


class Settings(base.Settings):
    seed: int
    split: SplitPlan


def writes(settings: Settings, run: Run) -> None:
    (run.out / "numbers.txt").write_text(str(settings.seed))
    (run.results / "metrics.json").write_text("{}")
    run.metrics({"validation_auc": 0.75})
    run.artifact(run.out / "numbers.txt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_repository(tmp_path)


@pytest.fixture
def out(root: Path) -> Path:
    return root / "data" / STUDY / "probe"


def partial(root: Path) -> list[Path]:
    folder = root / ".oncotrail" / "partial"
    return list(folder.iterdir()) if folder.exists() else []


def test_a_stage_that_ends_well_leaves_output_results_and_record(root: Path, out: Path) -> None:
    stage.execute(writes, "probe", STUDY, root)
    record = RunRecord.read(out / "run.json")
    assert (out / "numbers.txt").read_text() == "7"
    assert (root / "results" / STUDY / "metrics.json").exists()
    assert record.metrics == {"validation_auc": 0.75}
    assert record.seed == 7
    assert record.recipe == "demo"
    assert set(record.artifacts) == {"numbers.txt"}
    assert set(record.dependencies) == {"raw"}
    assert partial(root) == []


def test_a_stage_run_twice_writes_the_same_bytes(root: Path, out: Path) -> None:
    stage.execute(writes, "probe", STUDY, root)
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    stage.execute(writes, "probe", STUDY, root)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_the_record_names_no_place_or_time_of_this_machine(root: Path, out: Path) -> None:
    stage.execute(writes, "probe", STUDY, root)
    text = (out / "run.json").read_text()
    assert str(root) not in text
    assert time.strftime("%Y-") not in text
    assert str(os.getpid()) not in json.dumps(json.loads(text)["params"])


def test_the_run_key_moves_with_settings_and_dependencies_alone(root: Path) -> None:
    first = stage.execute(writes, "probe", STUDY, root).key
    assert stage.execute(writes, "probe", STUDY, root).key == first
    (root / "raw" / "clinical.csv").write_text("id,died\nA,0\n")
    second = stage.execute(writes, "probe", STUDY, root).key
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("seed: 7", "seed: 8"))
    third = stage.execute(writes, "probe", STUDY, root).key
    assert len({first, second, third}) == 3


def test_an_old_output_is_replaced_whole(root: Path, out: Path) -> None:
    out.mkdir(parents=True)
    (out / "stale.txt").write_text("old")
    stage.execute(writes, "probe", STUDY, root)
    assert not (out / "stale.txt").exists()


def test_data_on_another_disk_is_filled_too(
    root: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace

    def across(self: Path, target: Path) -> Path:
        if self.name == "out":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", across)
    stage.execute(writes, "probe", STUDY, root)
    assert {path.name for path in out.iterdir()} == {"numbers.txt", "run.json"}
    assert [path.name for path in out.parent.iterdir()] == ["probe"]


class TestFailing:
    @pytest.fixture(
        params=[
            TrainingFault("the loss is not finite"),
            KeyboardInterrupt(),
            OSError(errno.ENOSPC, "No space left on device"),
            RuntimeError("a mistake of ours"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def failing(self, request: pytest.FixtureRequest) -> DIES_IN_PROCESS:
        def main(settings: Settings, run: Run) -> NoReturn:  # noqa: ARG001 - a stage has it
            (run.out / "half.txt").write_text("half")
            (run.results / "metrics.json").write_text("half")
            raise request.param

        return main

    def test_leaves_nothing_half_written(
        self, root: Path, out: Path, failing: DIES_IN_PROCESS
    ) -> None:
        with pytest.raises((Exception, KeyboardInterrupt)):
            stage.execute(failing, "probe", STUDY, root)
        assert not out.exists()
        assert not (root / "results").exists()
        assert partial(root) == []

    def test_can_be_started_again_at_once(
        self, root: Path, out: Path, failing: DIES_IN_PROCESS
    ) -> None:
        with pytest.raises((Exception, KeyboardInterrupt)):
            stage.execute(failing, "probe", STUDY, root)
        stage.execute(writes, "probe", STUDY, root)
        assert (out / "run.json").exists()


class TestGuarded:
    def raising(self, error: BaseException) -> Callable[[], NoReturn]:
        def work() -> NoReturn:
            raise error

        return work

    def test_work_that_ends_well_is_0_and_silent(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert stage.guarded(lambda: None, "probe@lungs", debug=False) == 0
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("error", "code", "says"),
        [
            (StudyFileError("epochz: unknown key."), 2, "epochz"),
            (OSError(errno.ENOSPC, "No space left", "w.bin"), 2, "the disk is full (w.bin)"),
            (FileNotFoundError(errno.ENOENT, "No such", "raw"), 2, "raw is missing"),
            (KeyboardInterrupt(), 130, "interrupted"),
        ],
    )
    def test_a_foreseen_fault_is_one_sentence_and_a_code(
        self, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, says: str
    ) -> None:
        assert stage.guarded(self.raising(error), "probe@lungs", debug=False) == code
        told = capsys.readouterr().err
        assert told.startswith("probe@lungs: ")
        assert says in told
        assert len(told.splitlines()) == 1

    def test_debug_shows_the_traceback_before_the_sentence(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert stage.guarded(self.raising(TrainingFault("one class")), "p", debug=True) == 2
        lines = capsys.readouterr().err.splitlines()
        assert lines[0].startswith("Traceback")
        assert lines[-1] == "p: one class"

    def test_a_mistake_of_ours_is_not_dressed_up(self) -> None:
        with pytest.raises(ZeroDivisionError):
            stage.guarded(lambda: 1 / 0, "probe@lungs", debug=False)


class TestOfTheCommandLine:
    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        _, told = process.communicate(timeout=WAIT)
        return process.returncode, told

    def test_a_wrong_key_names_the_right_one(self, root: Path) -> None:
        study = root / "studies" / "lungs.yaml"
        study.write_text(study.read_text().replace("stratify_by", "stratify"))
        code, told = self.ended(start_probe(root))
        assert code == 2
        assert "Did you mean 'stratify_by'?" in told
        assert "Traceback" not in told

    def test_an_undeclared_study_is_the_users_fault(self, root: Path) -> None:
        code, told = self.ended(start_probe(root, key="lungz"))
        assert code == 2
        assert "studies/lungz.yaml is missing" in told

    def test_a_missing_dependency_is_named(self, root: Path) -> None:
        (root / "raw" / "clinical.csv").unlink()
        (root / "raw").rmdir()
        code, told = self.ended(start_probe(root))
        assert code == 2
        assert "raw is missing" in told

    def test_debug_of_the_environment_shows_the_traceback(self, root: Path) -> None:
        (root / "params.yaml").unlink()
        code, told = self.ended(start_probe(root, ONCOTRAIL_DEBUG="1"))
        assert code == 2
        assert "Traceback" in told
        assert "params.yaml is missing" in told.splitlines()[-1]

    def test_a_full_disk_leaves_nothing(self, tmp_path: Path) -> None:
        """A limit on the size of files stands in for the disk: the kernel refuses the write."""
        body = """\
import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    (run.out / "weights").write_bytes(bytes(5000))"""
        root = small_repository(tmp_path, body)
        code, told = self.ended(start_probe(root))
        assert code == 2
        assert "the disk is full" in told
        assert not (root / "data").exists()
        assert partial(root) == []


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    root = small_repository(tmp_path, SLEEPS)
    process = start_probe(root)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    yield root, process
    process.kill()
    process.communicate()


class TestWhileRunning:
    def test_ctrl_c_is_one_sentence_and_130(
        self, sleeping: tuple[Path, subprocess.Popen[str]]
    ) -> None:
        root, process = sleeping
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=WAIT)
        assert process.returncode == 130
        assert told.splitlines() == [
            "probe@lungs: interrupted; nothing was left half-written. Run make repro to go on."
        ]
        assert not (root / "data").exists()

    def test_kill_9_leaves_no_output_and_the_next_start_goes_on(
        self, sleeping: tuple[Path, subprocess.Popen[str]]
    ) -> None:
        root, process = sleeping
        process.kill()
        process.wait(WAIT)
        assert not (root / "data").exists()
        stage.execute(writes, "probe", STUDY, root)
        output = root / "data" / STUDY / "probe"
        assert {path.name for path in output.iterdir()} == {"numbers.txt", "run.json"}
        assert partial(root) == []

    def test_a_second_start_waits_and_then_names_the_first(
        self, sleeping: tuple[Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root, process = sleeping
        monkeypatch.setattr(stage, "LOCK_WAIT_SECONDS", 0.5)
        started = time.monotonic()
        with pytest.raises(StageBusy, match=f"process {process.pid} is still filling"):
            stage.execute(writes, "probe", STUDY, root)
        assert time.monotonic() - started >= 0.5

    def test_a_second_start_goes_on_once_the_first_has_ended(
        self, sleeping: tuple[Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root, process = sleeping
        monkeypatch.setattr(time, "sleep", lambda _: (process.kill(), process.wait()))
        stage.execute(writes, "probe", STUDY, root)
        assert (root / "data" / STUDY / "probe" / "run.json").exists()


@pytest.mark.slow
def test_a_stage_dies_with_the_dvc_that_asked_for_it(tmp_path: Path) -> None:
    """`kill -9` of dvc would leave an orphan that fills the output beside the next repro."""
    body = SLEEPS.replace(
        'print("begun", flush=True)', "import os; open('pid', 'w').write(str(os.getpid()))"
    )
    root = small_repository(tmp_path, body)
    programs = Path(sys.executable).parent
    subprocess.run([programs / "dvc", "init", "--no-scm", "-q"], cwd=root, check=True)
    dvc = subprocess.Popen(
        [programs / "dvc", "repro", "-q", "probe@lungs"],
        cwd=root,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
    )
    pid = int(until(lambda: (root / "pid").exists() and (root / "pid").read_text(), WAIT * 4))
    time.sleep(1)
    dvc.kill()
    dvc.wait()
    killed = time.monotonic()
    until(lambda: not Path(f"/proc/{pid}").exists() or is_zombie(pid), WAIT)
    assert time.monotonic() - killed < 3
    assert not (root / "data").exists()


def is_zombie(pid: int) -> bool:
    import psutil

    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def until(condition: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found
