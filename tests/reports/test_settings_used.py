from oncotrail.reports.evidence import Evidence
from oncotrail.reports.settings_used import DEMO, LIMITS, settings_used
from tests.reports import written

PIXELS = [{"view": "t4", "pixels": {"rows": 32, "columns": 64}}]


def test_limits_and_demo_block_are_told_apart(evidence: Evidence) -> None:
    said = settings_used(written.STUDY, written.NETWORKS, written.DECODE, evidence.runs(), PIXELS)
    rows = [tuple(cell.text for cell in row) for row in said.grids[0].rows]
    assert rows == [
        ("network t4: epochs", "1000", "3", LIMITS),
        ("network t11: epochs", "1000", "3", LIMITS),
        ("picture of t4, rows × columns", "300 × 500", "32 × 64", LIMITS),  # noqa: RUF001
        ("network t4: optimizer, learning rate", "1e-6", "0.001", DEMO),
    ]


def test_settings_as_published_are_said_to_be(evidence: Evidence) -> None:
    networks = {
        name: network.model_copy(update={"epochs": 3}) for name, network in written.NETWORKS.items()
    }
    runs = [run for run in evidence.runs() if not run.bent]
    as_published = [{"view": "t4", "pixels": {"rows": 300, "columns": 500}}]
    trained = {run.name for run in runs if run.stage == "train"}
    said = settings_used(
        written.STUDY,
        {name: networks[name] for name in trained},
        written.DECODE,
        runs,
        as_published,
    )
    assert said.grids == ()
    assert said.sentences == ("The published settings were used; nothing was bent.",)
