"""One module per DVC stage: read, call, write, record."""

import sys
from pathlib import Path

# `dvc exp run --queue` runs in a copy of the repository: the stage must import that copy's library.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
