"""MLflow made to say what the files say: the graph's last stage, run every time.

It has no settings and no output, so it is not run like the others: what the user is told goes to
the terminal alone.
"""

import os
import sys
from pathlib import Path

from oncotrail import stage
from oncotrail.tracking.sync import sync


def main(root: Path) -> None:
    sys.stdout.write(f"sync: {sync(root)}\n")


if __name__ == "__main__":
    debug = "--debug" in sys.argv or os.environ.get("ONCOTRAIL_DEBUG") == "1"
    sys.exit(stage.guarded(lambda: main(Path.cwd()), "sync", debug=debug))
