"""What this machine and this checkout add to a run: the commit, what differs from it, versions.

None of it is in run.json, which two machines must write alike. A stage keeps it beside the outputs
when it runs, and sync tags it on the run's page; where the outputs were pulled, sync tags its own.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

# What a run writes itself into git says nothing about the code that ran.
_RESULTS = (":!dvc.lock", ":!results")


def provenance(root: Path) -> dict[str, str]:
    """Tags that say where a run was seen: git, DVC's experiment, package versions, the machine."""
    versions = package_versions().items()
    tags = {
        "packages": ", ".join(f"{name} {version}" for name, version in versions),
        "python": platform.python_version(),
    }
    experiment = os.environ.get("DVC_EXP_NAME")
    if experiment:
        tags["DVC_EXP_NAME"] = experiment
    return tags | _git_tags(root)


def package_versions() -> dict[str, str]:
    """The installed version of everything that oncotrail requires."""
    names = [_name_in(line) for line in metadata.requires("oncotrail") or []]
    return {"oncotrail": metadata.version("oncotrail")} | {
        name: metadata.version(name) for name in sorted(names)
    }


def _git_tags(root: Path) -> dict[str, str]:
    """The commit, and a digest of what differs from it, without which the commit would lie."""
    commit = _git(root, "rev-parse", "HEAD").decode().strip()
    if not commit:
        return {}
    changes = _git(root, "diff", "HEAD", "--binary", "--no-ext-diff", "--", ".", *_RESULTS)
    dirty = hashlib.sha256(changes).hexdigest()[:16] if changes else "none"
    return {"mlflow.source.git.commit": commit, "git.uncommitted": dirty}


def _git(root: Path, *words: str) -> bytes:
    """What git says; nothing where there is no git or no repository."""
    try:
        answer = subprocess.run(  # noqa: S603 - the words are ours
            ["git", *words],  # noqa: S607 - whichever git the user has
            cwd=root,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return b""
    return answer.stdout if answer.returncode == 0 else b""


def _name_in(requirement: str) -> str:
    """The name in a requirement such as `pylibjpeg[openjpeg,rle]>=2.0`."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
