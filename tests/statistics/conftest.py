from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REFERENCE = Path(__file__).parents[1] / "reference" / "discrimination.json"


@pytest.fixture(scope="session")
def said_by_r() -> dict[str, Any]:
    """What R says; `tests/reference/discrimination.R` wrote it."""
    return json.loads(REFERENCE.read_text(encoding="utf-8"))
