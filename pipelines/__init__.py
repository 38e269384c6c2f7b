"""One module per DVC stage: read, call, write, record."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# `dvc` typed in a terminal without the environment runs the stages with the system's Python.
_missing = [name for name in ("numpy", "pandas", "pydantic") if find_spec(name) is None]
if _missing:
    sys.stderr.write(
        f"{sys.executable} lacks {', '.join(_missing)}: it is not the Python of this repository; "
        "run make setup, then . .venv/bin/activate in this terminal, and try again.\n"
    )
    sys.exit(2)

# Before numpy is imported: small matrices are slower on many threads, and the number of threads
# decides the last digits. torch's threads are a setting (params.yaml, compute).
for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
# A thread that waits must sleep: beside one busy core, spinning made training ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# `dvc exp run --queue` runs in a copy of the repository: the stage must import that copy's library.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
