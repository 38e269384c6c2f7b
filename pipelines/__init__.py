"""One module per DVC stage: read, call, write, record."""

import os
import sys
from pathlib import Path

# Before numpy is imported: small matrices are slower on many threads, and the number of threads
# decides the last digits. torch's threads are a setting (params.yaml, compute).
for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
# A thread that waits must sleep: beside one busy core, spinning made training ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# `dvc exp run --queue` runs in a copy of the repository: the stage must import that copy's library.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
