"""The rules of the house, compared with the house."""

import ast
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from oncotrail.graph import stage_in_graph
from oncotrail.study.load import (
    entries,
    foreach_section,
    parameters_of,
    read_yaml,
    study_file,
    study_names,
)
from tests import architecture
from tests.architecture import LIBRARY, ROOT, import_graph

STAGES = architecture.stages()
WITH_MODULE = [name for name, stage in STAGES.items() if not stage.get("always_changed")]
MODULES = sorted(path for path in LIBRARY.rglob("*.py"))
PIPELINES = sorted(path for path in (ROOT / "pipelines").glob("*.py") if path.stem != "__init__")
VAGUE = {"utils", "util", "common", "core", "helpers", "models", "misc", "tools"}


@pytest.mark.parametrize("stage", WITH_MODULE)
def test_a_stage_lists_exactly_the_code_that_it_runs(stage: str) -> None:
    """Too little keeps stale results; too much retrains a network for a word in a report."""
    run = architecture.files_run_by(stage)
    listed = architecture.files_listed(STAGES[stage]["deps"])
    lines = "\n".join(f"        - {path}" for path in architecture.folded(run))
    names = {
        what: sorted(str(path.relative_to(ROOT)) for path in paths)
        for what, paths in {"forgotten": run - listed, "not needed": listed - run}.items()
    }
    assert run == listed, f"{stage}: {names}\nthe code among its deps in dvc.yaml is:\n{lines}"


@pytest.mark.parametrize("stage", WITH_MODULE)
def test_a_stage_lists_exactly_the_parameters_that_it_reads(stage: str) -> None:
    keys = keys_of(stage)
    assert keys, f"no study declares {stage}"
    for key in keys:
        asked = parameters_of(settings_of(stage), key)
        assert stage_in_graph(stage, key, ROOT).parameters == asked, f"{stage}@{key}"


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_a_stage_is_thin(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    main = next(function for function in functions if function.name == "main")
    lines = main.end_lineno - main.lineno + 1 if main.end_lineno else 0
    assert lines <= 30, f"main has {lines} lines"
    assert len(source.splitlines()) <= 60
    assert path.stem in STAGES, "no stage of dvc.yaml runs it"


def test_every_stage_has_its_module() -> None:
    assert set(STAGES) == {path.stem for path in PIPELINES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_module_is_shorter_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


def test_no_room_has_a_name_that_says_nothing() -> None:
    assert not VAGUE & {path.name for path in LIBRARY.rglob("*") if path.is_dir()}


def test_every_room_says_what_it_is_for() -> None:
    silent = [path for path in LIBRARY.rglob("__init__.py") if not docstring(path)]
    assert silent == []


def test_only_tracking_imports_mlflow() -> None:
    importers = import_graph().find_modules_that_directly_import("mlflow")
    assert importers
    assert {name for name in importers if not name.startswith("oncotrail.tracking.")} == set()


def test_only_search_imports_optuna() -> None:
    importers = import_graph().find_modules_that_directly_import("optuna")
    assert importers
    assert {name for name in importers if not name.startswith("oncotrail.search.")} == set()


def test_a_worker_of_a_search_starts_without_engines() -> None:
    """Its threads are set before; and its driver asks for trials without torch."""
    heavy = {"torch", "timm", "numpy", "pandas", "optuna", "mlflow", "sklearn"}
    code = f"import sys, oncotrail.search.worker; print(*sorted({heavy} & set(sys.modules)))"
    assert python(code).stdout.split() == []


def test_nothing_imports_dvc() -> None:
    assert "dvc" not in import_graph().modules


def test_stage_imports_no_more_of_tracking_than_what_it_shows() -> None:
    imported = import_graph().find_modules_directly_imported_by("oncotrail.stage")
    tracking = {name for name in imported if name.startswith("oncotrail.tracking")}
    assert tracking == {"oncotrail.tracking.runs", "oncotrail.tracking.provenance"}


def test_importing_oncotrail_is_silent_and_instant() -> None:
    code = "import time; s = time.perf_counter(); import oncotrail; print(time.perf_counter() - s)"
    runs = [python(code) for _ in range(5)]
    assert all(run.stderr == "" for run in runs)
    assert min(float(run.stdout) for run in runs) < 0.3


def test_the_command_line_starts_without_what_it_may_not_need() -> None:
    heavy = {"torch", "mlflow", "pandas", "numpy", "sklearn", "matplotlib", "pydantic"}
    code = f"import sys, oncotrail.cli; print(*sorted({heavy} & set(sys.modules)))"
    assert python(code).stdout.split() == []


def test_stages_start_without_engines() -> None:
    """Imports of torch and the like happen where they are used: a stage starts in a second."""
    heavy = {"torch", "timm", "mlflow", "matplotlib", "shap", "sklearn"}
    light = {path.stem for path in PIPELINES} - {"train"}
    names = ", ".join(f"pipelines.{name}" for name in sorted(light))
    code = f"import sys, {names}; print(*sorted({heavy} & set(sys.modules)))"
    assert python(code).stdout.split() == []


def test_the_tree_in_the_readme_is_true() -> None:
    told = {name.rstrip("/") for name in architecture.tree_in_readme("src/oncotrail/  ")}
    present = {path.split("/")[0] for path in tracked()}
    present = {name for name in present if not name.startswith(".")}
    assert {name.split("/")[0] for name in told} == present


def test_the_rooms_in_the_readme_are_true() -> None:
    told = architecture.tree_in_readme("src/oncotrail/\n")[1:]
    rooms = {path.parent.name + "/" for path in LIBRARY.glob("*/__init__.py")}
    modules = {path.name for path in LIBRARY.glob("*.py") if path.name != "__init__.py"}
    assert len(told) == len(set(told))
    assert set(told) == rooms | modules


def test_every_study_is_in_the_graph() -> None:
    listed = read_yaml(ROOT / "dvc.yaml")["vars"]
    assert sorted(listed) == sorted(study_file(name) for name in study_names(ROOT))


def settings_of(stage: str) -> Any:
    main = import_module(f"pipelines.{stage}").main
    return next(iter(typing.get_type_hints(main).values()))


def keys_of(stage: str) -> list[str]:
    declared = read_yaml(ROOT / "dvc.yaml")["stages"][stage]
    return entries(foreach_section(declared), ROOT)


def docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )


def tracked() -> list[str]:
    """What git holds or would hold."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[:-1]
