from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, settings

from tests.statistics.oracles import COMPARED
from tests.statistics.write_reference import PAGE, page

# A busy machine is slow, not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

WRITES = "tests.statistics.write_reference"
DIFFERENCE = re.compile(r"\| [0-9e-]+ \|$", re.MULTILINE)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """`make coverage` runs every comparison, so it can say whether the page names just these."""
    if os.environ.get("ONCOTRAIL_CHECK_REFERENCE") != "1" or session.exitstatus:
        return
    compared = DIFFERENCE.sub("|", page(list(COMPARED.values())))
    if compared != DIFFERENCE.sub("|", PAGE.read_text(encoding="utf-8")):
        message = f"\n{PAGE.name} names other comparisons than ran: python -m {WRITES}\n"
        session.config.get_terminal_writer().write(message)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
