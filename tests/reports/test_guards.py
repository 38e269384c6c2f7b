from oncotrail.audit.checks import CHECKS
from oncotrail.reports.evidence import Evidence
from oncotrail.reports.guards import QUESTIONS, audited, registered


def test_every_check_has_its_question() -> None:
    assert QUESTIONS.keys() == CHECKS.keys()


def test_a_check_says_what_it_looked_at(evidence: Evidence) -> None:
    said = audited(evidence.checks, evidence.records["audit"])
    name, question, looked_at, says = said.grid.rows[0]
    assert (name.text, looked_at.text) == ("Leaked patient", "240")
    assert question.text.endswith("?")
    assert says.under == "120 patients of the split, 120 predictions of t4"
    assert "1 check made 240 comparisons" in said.sentences[0]


def test_models_stand_by_their_registered_names(evidence: Evidence) -> None:
    said = registered(evidence.catalogue, evidence.records["register"])
    assert [row[0].text for row in said.grid.rows] == [
        "oncotrail-made-t4",
        "oncotrail-made-t11",
        "oncotrail-made-clinical",
        "oncotrail-made-both",
    ]
    assert said.grid.rows[3][1].under == "with t4, t11"
    assert said.grid.rows[3][2].under == "0.500 to 0.900"
    assert "oncotrail-made, alias challenger, is both" in said.sentences[0]
