from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(__file__).parents[1] / "reference" / "discrimination.json"


@pytest.fixture(scope="session")
def said_by_r() -> dict[str, Any]:
    """What R says; `tests/reference/discrimination.R` wrote it."""
    return json.loads(REFERENCE.read_text(encoding="utf-8"))
