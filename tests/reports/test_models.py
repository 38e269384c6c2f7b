import pandas as pd

from oncotrail.reports.cells import DASH
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.models import FIGURES, models_of, plainest_and_richest, strictest
from tests.evaluation import made
from tests.reports import written


def models(table: pd.DataFrame) -> tuple:
    return models_of(written.STUDY, table, written.FUSION, made.NETWORKS)


def test_fusions_come_first_and_say_what_they_read(evidence: Evidence) -> None:
    assert [(model.title, model.reads) for model in models(evidence.table)] == [
        ("clinical", "the clinical record"),
        ("both", "the clinical record and pictures t4 and t11"),
        ("t4", "picture t4"),
        ("t11", "picture t11"),
    ]


def test_every_figure_has_its_interval_and_denominator(evidence: Evidence) -> None:
    rows = evidence.table.set_index(["model", "role", "metric"])
    for model in models(evidence.table):
        for role, judged in model.roles.items():
            for metric, cell in zip(FIGURES, judged.cells(FIGURES), strict=True):
                row = rows.loc[(f"made-{model.name}", role, metric)]
                assert cell.text == f"{row['value']:.3f}"
                interval = f"{row['low']:.3f} to {row['high']:.3f}"
                assert cell.under == f"{interval}\nn = {row['patients']}"


def test_an_undefined_figure_is_a_dash_with_its_reason(evidence: Evidence) -> None:
    table = evidence.table.copy()
    ppv = table["metric"] == "ppv"
    table.loc[ppv, ["value", "low", "high"]] = None
    table.loc[ppv, ["patients", "events"]] = 0
    judged = models(table)[0].roles["test"]
    cell = judged.cells(FIGURES)[list(FIGURES).index("ppv")]
    assert (cell.text, cell.under) == (DASH, "nobody was called positive")
    assert judged.patients == 30


def test_external_patients_judge_where_there_are_some(evidence: Evidence) -> None:
    assert strictest(models(evidence.table)) == "external"
    inside = evidence.table[evidence.table["role"] != "external"]
    assert strictest(models(inside)) == "test"


def test_the_question_compares_the_record_with_the_record_and_most_pictures(
    evidence: Evidence,
) -> None:
    both = models(evidence.table)
    pair = plainest_and_richest(both)
    assert pair is not None
    assert [model.name for model in pair] == ["clinical", "both"]


def test_without_a_clinical_model_there_is_no_such_question(evidence: Evidence) -> None:
    pictures = [model for model in models(evidence.table) if not model.clinical]
    assert plainest_and_richest(pictures) is None
    fused = [model for model in models(evidence.table) if model.name == "both"]
    assert plainest_and_richest(fused) is None
