import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oncotrail.commands import reproduce
from oncotrail.errors import TrackingFault, UserFault
from oncotrail.record import RunRecord
from oncotrail.tracking.sync import Synced
from tests.small_repository import (
    GRAPH,
    PROBE,
    STUDY,
    STUDY_FILE,
    WRITES,
    commit_all,
    small_repository,
)

FAILS = """\
echo "Running stage 'probe@lungs':"
echo "probe@lungs: {sentence}" >&2
echo "ERROR: failed to reproduce 'probe@lungs': failed to run: python -m x, exited with {code}" >&2
exit 255
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_repository(tmp_path / "repository")


@pytest.fixture
def dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called dvc, beside the Python that is said to run us."""
    program = tmp_path / "bin" / "dvc"
    program.parent.mkdir()
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    return program


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where MLflow was synced from."""
    roots: list[Path] = []

    def sync(root: Path) -> Synced:
        roots.append(root)
        return Synced(8, 4)

    monkeypatch.setattr("oncotrail.tracking.sync.sync", sync)
    return roots


def script(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}")
    program.chmod(0o755)


class TestReproduce:
    def test_all_studies_are_the_default(self, root: Path, dvc: Path) -> None:
        script(dvc, 'echo "$@" > asked; echo "$DVC_NO_ANALYTICS $ONCOTRAIL_DEBUG" >> asked')
        assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(0, 0)
        assert (root / "asked").read_text() == "repro\n1 \n"

    def test_one_study_is_its_report_and_then_a_sync(
        self, root: Path, dvc: Path, syncs: list[Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        script(dvc, 'echo "$@" > asked; echo "$ONCOTRAIL_DEBUG" >> asked')
        assert reproduce.reproduce(root, "lungs", debug=True) == reproduce.Reproduced(0, 0)
        assert (root / "asked").read_text() == "repro report@lungs\n1\n"
        assert syncs == [root]
        said = "sync: MLflow says what the files say: 8 runs, 4 models.\n"
        assert capsys.readouterr().out == said

    def test_all_studies_are_synced_by_the_graph(
        self, root: Path, dvc: Path, syncs: list[Path]
    ) -> None:
        script(dvc, "exit 0")
        reproduce.reproduce(root, None, debug=False)
        assert syncs == []

    def test_a_study_that_fails_is_not_synced(
        self, root: Path, dvc: Path, syncs: list[Path]
    ) -> None:
        script(dvc, FAILS.format(sentence="the disk is full.", code=2))
        assert reproduce.reproduce(root, "lungs", debug=False).exit_code == 2
        assert syncs == []

    def test_a_sync_that_fails_is_told_in_a_sentence(
        self,
        root: Path,
        dvc: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def fail(_: Path) -> Synced:
            raise TrackingFault("the server is away; start it.")

        monkeypatch.setattr("oncotrail.tracking.sync.sync", fail)
        script(dvc, "exit 0")
        assert reproduce.reproduce(root, "lungs", debug=False) == reproduce.Reproduced(1, 0, "sync")
        assert capsys.readouterr().err == "sync: the server is away; start it.\n"

    @pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
    def test_a_conflict_is_refused_before_dvc_meets_it(
        self, root: Path, dvc: Path, name: str
    ) -> None:
        script(dvc, "touch ran")
        (root / name).write_text("stages:\n<<<<<<< HEAD\n=======\n>>>>>>> other\n")
        with pytest.raises(UserFault, match=rf"{name} holds the marks.*git checkout --ours {name}"):
            reproduce.reproduce(root, None, debug=False)
        assert not (root / "ran").exists()

    def test_this_environments_programs_come_first(self, root: Path, dvc: Path) -> None:
        script(dvc, 'echo "$PATH" > asked')
        reproduce.reproduce(root, None, debug=False)
        assert (root / "asked").read_text().startswith(f"{dvc.parent}{os.pathsep}")

    @pytest.mark.parametrize(("code", "ours"), [(2, 2), (1, 1), (130, 130), (3, 1)])
    def test_a_stage_that_fails_keeps_its_sentence_and_code(
        self, root: Path, dvc: Path, capfd: pytest.CaptureFixture[str], code: int, ours: int
    ) -> None:
        script(dvc, FAILS.format(sentence="the disk is full.", code=code))
        outcome = reproduce.reproduce(root, None, debug=False)
        assert outcome == reproduce.Reproduced(ours, 0, "probe@lungs")
        assert capfd.readouterr().err == "probe@lungs: the disk is full.\n"

    @pytest.mark.parametrize("code", [-9, 137])
    def test_a_stage_that_was_killed_is_told_apart(self, root: Path, dvc: Path, code: int) -> None:
        script(dvc, FAILS.format(sentence="epoch 1", code=code))
        outcome = reproduce.reproduce(root, None, debug=False)
        assert outcome == reproduce.Reproduced(1, 0, "probe@lungs", 9)

    def test_dvcs_own_errors_are_passed_on(
        self, root: Path, dvc: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        script(dvc, 'echo "ERROR: Unable to acquire lock" >&2; exit 251')
        assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(1, 0)
        assert "Unable to acquire lock" in capfd.readouterr().err

    def test_stages_that_ran_are_counted(self, root: Path, dvc: Path) -> None:
        (root / ".oncotrail" / "runs").mkdir(parents=True)
        (root / ".oncotrail" / "runs" / "old.json").write_text("{}")
        script(dvc, "echo '{}' > .oncotrail/runs/new.json")
        assert reproduce.reproduce(root, None, debug=False).stages_run == 1

    def test_sigterm_ends_dvc_too(
        self, root: Path, dvc: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script(dvc, "echo $$ > pid; echo now >&2; exec sleep 60")
        monkeypatch.setattr(sys, "stderr", Signals(signal.SIGTERM))
        started = time.monotonic()
        with pytest.raises(SystemExit) as ended:
            reproduce.reproduce(root, None, debug=False)
        assert ended.value.code == 128 + signal.SIGTERM
        assert time.monotonic() - started < 30
        assert not Path(f"/proc/{(root / 'pid').read_text().strip()}").exists()

    def test_ctrl_c_hears_the_stage_out(
        self, root: Path, dvc: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = FAILS.format(sentence="interrupted", code=130)
        script(dvc, f"echo now >&2; sleep 0.3\n{code}")
        told = Signals(signal.SIGINT)
        monkeypatch.setattr(sys, "stderr", told)
        outcome = reproduce.reproduce(root, None, debug=False)
        assert outcome == reproduce.Reproduced(130, 0, "probe@lungs")
        assert told.getvalue() == "now\nprobe@lungs: interrupted\n"


SWEEPS = """\
stages:
  grow:
    foreach: [lungs]
    do:
      cmd: mkdir -p data/${item}/grow && echo x > data/${item}/grow/x
      outs:
        - data/${item}/grow
  sweep:
    foreach:
      lungs-a: {study: lungs}
      lungs-b: {study: lungs}
    do:
      cmd: sh sweep.sh ${key} ${item.study}
      deps:
        - data/${item.study}/grow
        - raw
      outs:
        - data/${item.study}/sweep/${key}
  best:
    foreach:
      lungs-a: {study: lungs}
    do:
      cmd: "true"
      deps:
        - data/${item.study}/grow
        - data/${item.study}/sweep/${key}
"""
SWEEP = """\
mkdir -p data/$2/sweep/$1
touch $1.started
while [ $1 = lungs-a ] && [ ! -e lungs-b.started ]; do sleep 0.1; done
cat data/$2/grow/x > data/$2/sweep/$1/y
"""
BUSY = """\
echo "ERROR: failed to reproduce 'grow@lungs': '/x/data/grow' is busy, it is being blocked by:
  (PID 17): dvc repro sweep@lungs-a
  (PID 18): dvc repro

If there are no processes with such PIDs, you can manually remove '/x/.dvc/tmp/rwlock' and try.
last" >&2
exit 255
"""


class TestStage:
    @pytest.mark.parametrize(
        ("address", "needs"),
        [("sweep@lungs-b", "grow@lungs"), ("best@lungs-a", "grow@lungs sweep@lungs-a")],
    )
    def test_what_it_needs_is_looked_at_and_left_alone(
        self, root: Path, dvc: Path, syncs: list[Path], address: str, needs: str
    ) -> None:
        (root / "dvc.yaml").write_text(SWEEPS)
        script(dvc, 'echo "$@" >> asked')
        assert reproduce.reproduce_stage(root, address, debug=False) == reproduce.Reproduced(0, 0)
        looked, ran = (root / "asked").read_text().splitlines()
        assert looked == f"status --quiet --with-deps {needs}"
        assert ran == f"repro --single-item {address}"
        assert syncs == [root]

    @pytest.mark.usefixtures("syncs")
    def test_what_it_needs_runs_first_where_out_of_date(self, root: Path, dvc: Path) -> None:
        (root / "dvc.yaml").write_text(SWEEPS)
        (root / ".oncotrail" / "runs").mkdir(parents=True)
        runs = "echo {} > .oncotrail/runs/$(echo $* | tr -dc a-z).json"
        script(dvc, f'echo "$@" >> asked; [ $1 = repro ] || exit 1; {runs}')
        outcome = reproduce.reproduce_stage(root, "sweep@lungs-a", debug=False)
        assert outcome == reproduce.Reproduced(0, 2)
        asked = (root / "asked").read_text().splitlines()
        assert asked[1:] == ["repro grow@lungs", "repro --single-item sweep@lungs-a"]

    def test_it_does_not_run_where_what_it_needs_fails(
        self, root: Path, dvc: Path, syncs: list[Path]
    ) -> None:
        (root / "dvc.yaml").write_text(SWEEPS)
        fails = FAILS.format(sentence="the disk is full.", code=2)
        script(dvc, f'echo "$@" >> asked; [ $1 = repro ] || exit 1\n{fails}')
        outcome = reproduce.reproduce_stage(root, "sweep@lungs-a", debug=False)
        assert outcome == reproduce.Reproduced(2, 0, "probe@lungs")
        assert "--single-item" not in (root / "asked").read_text()
        assert syncs == []

    def test_who_uses_an_output_is_told_without_advice_to_remove_locks(
        self, root: Path, dvc: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        script(dvc, BUSY)
        outcome = reproduce.reproduce(root, None, debug=False)
        assert outcome == reproduce.Reproduced(2, 0, "grow@lungs")
        assert capfd.readouterr().err == (
            "grow@lungs: /x/data/grow is in use by process 17 (dvc repro sweep@lungs-a), "
            "process 18 (dvc repro); wait for it, or end it.\nlast\n"
        )

    @pytest.mark.slow
    @pytest.mark.usefixtures("syncs")
    def test_the_real_dvc_runs_two_that_need_the_same_side_by_side(
        self, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (root / "dvc.yaml").write_text(SWEEPS)
        (root / "sweep.sh").write_text(SWEEP)
        commit_all(root)
        dvc = Path(sys.executable).with_name("dvc")
        subprocess.run([dvc, "init", "-q"], cwd=root, check=True)
        subprocess.run([dvc, "repro", "-q", "grow@lungs"], cwd=root, check=True)
        first = subprocess.Popen([dvc, "repro", "--single-item", "sweep@lungs-a"], cwd=root)
        while not (root / "lungs-a.started").exists():
            assert first.poll() is None
            time.sleep(0.05)
        busy = reproduce.reproduce_stage(root, "grow@lungs", debug=False)
        assert (busy.exit_code, busy.failed) == (2, "grow@lungs")
        assert f"is in use by process {first.pid} (" in capfd.readouterr().err
        second = reproduce.reproduce_stage(root, "sweep@lungs-b", debug=False)
        assert second == reproduce.Reproduced(0, 0), "and the first waits for it"
        assert first.wait() == 0
        lock = (root / "dvc.lock").read_text()
        assert "sweep@lungs-a:" in lock
        assert "sweep@lungs-b:" in lock


class Signals(io.StringIO):
    """A terminal at which somebody sends a signal on reading `now`."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        written = super().write(text)
        if text == "now\n":
            os.kill(os.getpid(), self.number)
        return written


class TestRecipe:
    def test_is_written_where_everybody_sees_it(self, root: Path) -> None:
        before = (root / "params.yaml").read_text()
        assert reproduce.choose_recipe(root, "published")
        after = (root / "params.yaml").read_text()
        assert after == before.replace("recipe: demo", "recipe: published")

    def test_that_holds_already_changes_nothing(self, root: Path) -> None:
        assert not reproduce.choose_recipe(root, "demo")

    def test_keeps_comments(self, root: Path) -> None:
        (root / "params.yaml").write_text("# why\nrecipe: demo # for laptops\nseed: 1\n")
        reproduce.choose_recipe(root, "published")
        text = (root / "params.yaml").read_text()
        assert text == "# why\nrecipe: published # for laptops\nseed: 1\n"


class TestUndeclared:
    def output(self, root: Path, study: str, name: str, place: str) -> Path:
        folder = root / place
        folder.mkdir(parents=True)
        values = {"key": "k", "recipe": "demo", "seed": 1}
        empty: dict[str, dict[str, object]] = {
            field: {}
            for field in (
                ["params", "bent", "dependencies", "metrics", "history", "artifacts", "on_members"]
            )
        }
        record = RunRecord(study=study, stage="probe", name=name, **values, **empty)  # type: ignore[arg-type]
        record.write(folder / "run.json")
        return folder

    def test_a_renamed_network_goes_and_says_so(self, root: Path) -> None:
        kept = self.output(root, STUDY, STUDY, "data/lungs/probe")
        gone = self.output(root, STUDY, "lungs-old", "data/lungs/probe/lungs-old")
        told = list(reproduce.remove_undeclared(root))
        assert told == [
            "removed data/lungs/probe/lungs-old: no study file declares probe@lungs-old any more."
        ]
        assert kept.exists()
        assert not gone.exists()

    def test_outputs_of_a_study_that_is_gone_go(self, root: Path) -> None:
        gone = self.output(root, "livers", "livers", "data/livers/probe")
        assert len(list(reproduce.remove_undeclared(root))) == 1
        assert not gone.exists()

    def test_raw_cohorts_stay(self, root: Path) -> None:
        """Whatever no stage wrote is somebody's data, also with a file of that name in it."""
        raw = root / "data" / "lungs" / "raw"
        raw.mkdir(parents=True)
        (raw / "clinical.csv").write_text("id")
        (raw / "run.json").write_text('{"scanner": 1}')
        copied = self.output(root, "livers", "livers", "data/backup/of/livers")
        (root / "data" / "broken").mkdir()
        (root / "data" / "broken" / "run.json").write_text("{")
        assert list(reproduce.remove_undeclared(root)) == []
        assert (raw / "clinical.csv").exists()
        assert copied.exists()

    def test_no_data_is_nothing_to_remove(self, root: Path) -> None:
        assert list(reproduce.remove_undeclared(root)) == []


@pytest.mark.slow
def test_the_real_dvc_runs_once_and_then_finds_nothing_to_do(root: Path) -> None:
    """What we read in DVC's messages is what DVC says."""
    graph = root / "dvc.yaml"
    graph.write_text(graph.read_text().replace("data/lungs/report", "data/lungs/probe"))
    commit_all(root)
    dvc = Path(sys.executable).with_name("dvc")
    subprocess.run([dvc, "init", "-q"], cwd=root, check=True)
    assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(0, 1)
    assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(0, 0)
    study = root / "studies" / "lungs.yaml"
    study.write_text(study.read_text().replace("folds: 2", "folds: 1"))
    assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(2, 0, "probe@lungs")
    (root / "pipelines" / "probe.py").write_text("import os; os.kill(os.getpid(), 9)")
    killed = reproduce.reproduce(root, None, debug=False)
    assert killed == reproduce.Reproduced(1, 0, "probe@lungs", 9)


@pytest.mark.slow
def test_the_real_dvc_leaves_the_other_study_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In dvc.yaml `sync` waits for both reports, so DVC must not be asked for it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = two_studies(tmp_path / "repository")
    assert reproduce.reproduce(root, "lungs", debug=False) == reproduce.Reproduced(0, 1)
    assert (root / "data" / "lungs" / "report" / "run.json").exists()
    assert not (root / "data" / "livers").exists()
    assert "livers" not in (root / "dvc.lock").read_text()
    assert "sync: 1 runs (1 new, 0 completed)" in capfd.readouterr().out
    assert reproduce.reproduce(root, "lungs", debug=False) == reproduce.Reproduced(0, 0)
    assert "sync: MLflow says what the files say: 1 runs" in capfd.readouterr().out
    assert reproduce.reproduce(root, None, debug=False) == reproduce.Reproduced(0, 1)
    assert (root / "data" / "livers" / "report" / "run.json").exists()


def two_studies(root: Path) -> Path:
    """Lungs and livers, each with a report, as `dvc init` finds them."""
    small_repository(root)
    other = STUDY_FILE.replace("lungs", "livers").replace("Lungs", "Livers")
    (root / "studies" / "livers.yaml").write_text(other)
    graph = GRAPH.replace("probe", "report")
    for line in ("  - studies/lungs.yaml\n", "      - data/lungs/report\n"):
        graph = graph.replace(line, line + line.replace("lungs", "livers"))
    (root / "dvc.yaml").write_text(graph)
    (root / "pipelines" / "report.py").write_text(PROBE.format(body=WRITES))
    commit_all(root)
    subprocess.run([Path(sys.executable).with_name("dvc"), "init", "-q"], cwd=root, check=True)
    return root
