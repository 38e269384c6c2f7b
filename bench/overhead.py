"""How much of the graph is our own overhead: interpreters, imports, DVC, tracking.

    .venv/bin/python bench/overhead.py

    whole   wall seconds of `dvc repro` in a fresh clone of HEAD, nothing cached
    work    wall seconds of every stage's `main` in one process that has imported everything,
            with a run that only remembers: no DVC, no MLflow, no interpreter to start

What is not work is overhead. Training's share of a core is the same in both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
STAGES = (
    *("demo", "acquire", "split", "decode", "tune", "train", "fuse"),
    *("evaluate", "audit", "register", "report"),
)


def main() -> None:
    """Print both figures and the share."""
    if "--work" in sys.argv:
        work(Path.cwd())
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "clone"
        run(["git", "clone", "-q", str(HERE), str(root)], HERE, dict(os.environ))
        programs = Path(sys.executable).parent
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
        started = time.perf_counter()
        run(["dvc", "repro"], root, environment)
        whole = time.perf_counter() - started
        print(f"whole  {whole:6.1f} s   dvc repro")
        words = [sys.executable, str(root / "bench" / "overhead.py"), "--work"]
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{root / 'src'}"
        answer = run(words, root, environment)
        print(answer.rstrip())
        worked = float(answer.split()[-2])
        print(f"overhead {whole - worked:.1f} s, {1 - worked / whole:.0%} of the whole")


def run(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    """A command's output; where it fails, everything that it said."""
    ended = subprocess.run(  # noqa: S603 - our own words
        words, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    return ended.stdout


def work(root: Path) -> None:
    """Each stage's main twice: the first time imports and fills caches, the second is timed."""
    total = 0.0
    for stage in STAGES:
        for key in keys(root, stage):
            for _ in range(2):
                seconds = timed(root, stage, key)
            print(f"       {seconds:6.1f} s   {stage}@{key}")
            total += seconds
    print(f"work   {total:6.1f} s")


def keys(root: Path, stage: str) -> list[str]:
    """The stage's entries in the study files."""
    from oncotrail.study.load import entries, foreach_section, read_yaml

    return entries(foreach_section(read_yaml(root / "dvc.yaml")["stages"][stage]), root)


def timed(root: Path, stage: str, key: str) -> float:
    """Seconds of one stage's main, its output made anew."""
    import typing

    from oncotrail.record import MemoryRun, folder
    from oncotrail.study.load import load, study_of

    run_stage = import_module(f"pipelines.{stage}").main
    settings = load(next(iter(typing.get_type_hints(run_stage).values())), key, root).settings
    study = study_of(key)
    output = folder(root, study, stage, None if key == study else key)
    record = (output / "run.json").read_bytes()  # later stages read it; only stage.py writes it
    shutil.rmtree(output)
    run = MemoryRun(root, study, stage, key)
    started = time.perf_counter()
    run_stage(settings, run)
    seconds = time.perf_counter() - started
    (output / "run.json").write_bytes(record)
    return seconds


if __name__ == "__main__":
    main()
