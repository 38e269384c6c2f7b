"""The front door: what `make` offers, and what it would run."""

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def started(*words: str, where: Path, check: bool) -> subprocess.CompletedProcess[str]:
    """`make` as a person types it, also where `make test` runs these tests."""
    above = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in above}
    command = ["make", "-f", str(REPOSITORY / "Makefile"), *words]
    return subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=check
    )


def make(*words: str, where: Path = REPOSITORY) -> str:
    return started(*words, where=where, check=True).stdout


def test_make_alone_lists_the_targets_with_a_word_on_each() -> None:
    lines = make().splitlines()
    names = {line.split()[1] for line in lines}
    assert {"setup", "repro", "test", "test-all", "check", "ui", "clean"} <= names
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ([], ".venv/bin/oncotrail repro"),
        (["STUDY=lungs"], ".venv/bin/oncotrail repro --study lungs"),
        (["PUBLISHED=1"], ".venv/bin/oncotrail repro --recipe published"),
        (["PUBLISHED=0"], ".venv/bin/oncotrail repro --recipe demo"),
        (["DEBUG=1"], ".venv/bin/oncotrail --debug repro"),
    ],
)
def test_settings_reach_the_command(words: list[str], runs: str) -> None:
    told = make("-n", "-o", ".venv/.set-up", "repro", *words)
    assert " ".join(told.split()) == runs


def test_clean_takes_caches_and_leaves_what_cannot_be_made_again(tmp_path: Path) -> None:
    keep = ["data/raw/a.dcm", "mlruns/mlflow.db", ".oncotrail/runs/a.json", "results/m.json"]
    drop = [".mypy_cache/a", ".oncotrail/partial/a", "src/room/__pycache__/a.pyc"]
    for name in [*keep, *drop, "pipelines/a", "tests/a", "bench/a"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make("clean", where=tmp_path)
    assert all((tmp_path / name).exists() for name in keep)
    assert not any((tmp_path / name).exists() for name in drop)


def test_an_old_python_is_refused_in_a_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    ended = started("setup", f"PYTHON={old}", where=tmp_path, check=False)
    assert ended.returncode == 2
    assert "is Python 3.9.2; Oncotrail needs Python 3.11 or newer" in ended.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("code", [1, 2])
def test_make_ends_with_2_whatever_failed_as_contributing_says(tmp_path: Path, code: int) -> None:
    program(tmp_path / ".venv" / "bin" / "oncotrail", f"exit {code}")
    for name in ("requirements.lock", "pyproject.toml", ".venv/.set-up"):
        (tmp_path / name).touch()
    assert started("repro", where=tmp_path, check=False).returncode == 2
    said = " ".join((REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    assert "`make` itself ends with 2 whatever failed" in said


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a .venv that has no pip, on a machine without uv."""
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    program(tmp_path / ".venv" / "bin" / "python", "exit 1")
    (tmp_path / ".venv" / "left").touch()
    return tmp_path


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


SETS_UP = """\
[ "$1" = -c ] && exit 0
echo "$@" >> asked
rm -r .venv && mkdir -p .venv/bin
cat > .venv/bin/python <<'END'
#!/bin/sh
[ "$3" != install ] || { printf '#!/bin/sh\n' > .venv/bin/uv; chmod +x .venv/bin/uv; }
END
chmod +x .venv/bin/python"""


def test_a_venv_without_pip_is_made_anew(bare: Path) -> None:
    python = program(bare / "python3", SETS_UP)
    make("setup", f"PYTHON={python}", "UV=.venv/bin/uv", where=bare)
    assert (bare / "asked").read_text() == "-m venv --clear .venv\n"
    assert not (bare / ".venv" / "left").exists()
    assert (bare / ".venv" / ".set-up").exists()
    (bare / ".venv" / ".set-up").unlink()
    make("setup", f"PYTHON={python}", "UV=.venv/bin/uv", where=bare)
    assert (bare / "asked").read_text() == "-m venv --clear .venv\n", "a good one is kept"


def test_a_venv_without_pip_is_kept_where_uv_is(bare: Path) -> None:
    python = program(bare / "python3", SETS_UP)
    uv = program(bare / "uv", "exit 0")
    make("setup", f"PYTHON={python}", f"UV={uv}", where=bare)
    assert (bare / ".venv" / "left").exists()


def test_a_python_that_makes_no_venv_is_told_in_a_sentence(bare: Path) -> None:
    python = program(bare / "python3", '[ "$1" = -c ] && exit 0\necho no ensurepip >&2\nexit 1')
    ended = started("setup", f"PYTHON={python}", "UV=.venv/bin/uv", where=bare, check=False)
    assert ended.returncode == 2
    assert "cannot make .venv, for the reason above" in ended.stdout
    assert "apt install python3-venv, then make again" in ended.stdout
    assert "No module named pip" not in ended.stderr


def test_no_address_is_in_the_lock_or_the_makefile() -> None:
    for name in ("requirements.lock", "Makefile"):
        assert "://" not in (REPOSITORY / name).read_text(encoding="utf-8")
