"""What the architecture tests ask: which files a stage really runs, and how to list them."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
LIBRARY = SRC / "oncotrail"

# What every stage runs and no dependency lists, because it cannot change a number: how a stage is
# started, looked up in dvc.yaml, shown live and refused. What these import is listed (the settings'
# merging and the random streams can change a number), except behind the live run, which only shows.
EXEMPT = {
    "oncotrail.stage",
    "oncotrail.graph",
    "oncotrail.errors",
    "oncotrail.tracking.runs",
    "oncotrail.tracking.provenance",
}
NOT_FOLLOWED = {"oncotrail.tracking.runs"}
IGNORED_FILES = {"py.typed"}


@cache
def import_graph() -> Any:
    """Who imports whom; imports inside functions count."""
    return grimp.build_graph("oncotrail", "pipelines", include_external_packages=True)


def stages() -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml, as their template."""
    declared = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    return {name: stage.get("do", stage) for name, stage in declared.items()}


def file_of(module: str) -> Path:
    """The file of a module or package of ours."""
    base = SRC if module.split(".", maxsplit=1)[0] == "oncotrail" else ROOT
    path = base.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def only_says_what_it_is(path: Path) -> bool:
    """Whether an __init__.py holds no more than its docstring and a version."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(
        isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        for node in body
    )


def files_run_by(stage: str) -> set[Path]:
    """Every file of ours that can change what this stage writes."""
    files: set[Path] = set()
    seen: set[str] = set()
    waiting = [f"pipelines.{stage}"]
    while waiting:
        module = waiting.pop()
        if module in seen or module.split(".")[0] not in ("oncotrail", "pipelines"):
            continue
        seen.add(module)
        if module not in NOT_FOLLOWED:
            waiting += import_graph().find_modules_directly_imported_by(module)
            waiting += packages_that_run(module)
        if module not in EXEMPT:
            files.add(file_of(module))
            files |= data_beside(file_of(module))
    return {path for path in files if not is_silent(path)}


def packages_that_run(module: str) -> list[str]:
    """The packages around a module, whose __init__.py Python runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def data_beside(path: Path) -> set[Path]:
    """Templates and the like that lie in a module's room."""
    if path.parent in (LIBRARY, ROOT / "pipelines"):
        return set()
    return {inner for inner in files_below(path.parent) if inner.suffix != ".py"}


def files_below(folder: Path) -> set[Path]:
    """The files in a folder that count: no bytecode, no marker files."""
    return {
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name not in IGNORED_FILES
    }


def is_silent(path: Path) -> bool:
    """An __init__.py that runs nothing."""
    return path.name == "__init__.py" and only_says_what_it_is(path)


def files_listed(dependencies: Iterable[str]) -> set[Path]:
    """The files of ours behind a stage's dependencies."""
    listed: set[Path] = set()
    for name in dependencies:
        if name.startswith(("src/", "pipelines/")):
            path = ROOT / name
            listed |= files_below(path) if path.is_dir() else {path}
    return {path for path in listed if not (path.exists() and is_silent(path))}


def folded(files: set[Path]) -> list[str]:
    """The shortest list of paths for these files: a folder where all of it is meant."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for top in (LIBRARY, ROOT / "pipelines")
        for path in _folded(top, files, is_top=True)
    )


def _folded(folder: Path, files: set[Path], *, is_top: bool) -> list[Path]:
    inside = {path for path in files_below(folder) if not is_silent(path)}
    if not is_top and len(inside) > 1 and inside <= files:
        return [folder]
    here = [path for path in inside & files if path.parent == folder]
    deeper = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    return here + [path for inner in deeper for path in _folded(inner, files, is_top=False)]


def tree_in_readme(first_line_holds: str) -> list[str]:
    """The names in the README's fenced tree whose text holds these words."""
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1::2]
    block = next(block for block in blocks if first_line_holds in block)
    names: list[str] = []
    for line in block.strip("\n").splitlines():
        chunks = [chunk for chunk in line.strip().split("  ") if chunk]
        names.append(chunks[0])
        names += [chunk.strip() for chunk in chunks[1:] if is_name(chunk.strip())]
    return names


def is_name(chunk: str) -> bool:
    """Whether a piece of a tree's line is a file or folder and not its description."""
    return " " not in chunk and (ROOT / chunk).exists()
