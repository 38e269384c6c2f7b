import re
from dataclasses import replace

import pytest

from oncotrail.reports.evidence import Evidence
from oncotrail.reports.page import study_report
from tests.evaluation import made
from tests.reports import written
from tests.reports.read import Read


@pytest.fixture(scope="module")
def html(evidence: Evidence) -> str:
    return study_report(written.STUDY, written.asked(), evidence)


@pytest.fixture(scope="module")
def page(html: str) -> Read:
    return Read(html)


def test_the_page_needs_nothing_from_elsewhere(page: Read) -> None:
    """No script, no style sheet, no picture that is not in the file."""
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"} == set()
    sources = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_links_lead_to_places_on_the_page(page: Read) -> None:
    places = {attributes.get("id") for _, attributes in page.tags}
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    assert len(links) == 9
    assert all(link.removeprefix("#") in places for link in links)


def test_a_title_with_markup_is_text(html: str, page: Read) -> None:
    assert "Relapse &lt;b&gt;&amp; more&lt;/b&gt;" in html
    assert "Relapse <b>& more</b>" in page.text


def test_nothing_undefined_is_visible(page: Read) -> None:
    assert re.findall(r"\b(nan|NaN|None|null|inf|undefined)\b", page.text) == []


def test_the_same_evidence_gives_the_same_page(html: str, evidence: Evidence) -> None:
    assert study_report(written.STUDY, written.asked(), evidence) == html


def test_no_date_and_no_place_of_a_machine(html: str) -> None:
    styled = html.partition("<style>")[0] + html.partition("</style>")[2]
    words = re.sub(r"base64,[A-Za-z0-9+/=]+", "", styled)
    assert re.findall(r"\d{4}-\d\d-\d\d|/home/|/tmp/|/root/|/Users/", words) == []


def test_no_patient_is_named(evidence: Evidence, page: Read) -> None:
    assert [name for name in evidence.cohort["patient"] if name in page.text] == []


def test_every_run_key_is_there(page: Read) -> None:
    assert [key for key in written.KEYS.values() if key not in page.text] == []


def test_the_demo_says_that_its_patients_never_lived(evidence: Evidence, page: Read) -> None:
    assert page.text.count("never lived") == 2
    real = study_report(written.STUDY, written.asked(invented=False, recipe="published"), evidence)
    assert "never lived" not in Read(real).text
    assert "bent, see" not in Read(real).text


def test_a_study_without_publication_says_so(evidence: Evidence) -> None:
    question = written.QUESTION.model_copy(update={"published": None})
    text = Read(study_report(written.STUDY, written.asked(study=question), evidence)).text
    assert "The study file names no publication." in text


def test_a_study_without_an_external_site_is_judged_by_its_test_patients(
    evidence: Evidence,
) -> None:
    inside = replace(
        evidence,
        table=evidence.table[evidence.table["role"] != "external"],
        comparisons=evidence.comparisons[evidence.comparisons["role"] != "external"],
    )
    text = Read(study_report(written.STUDY, written.asked(), inside)).text
    assert "on 30 test patients" in text
    assert "External test" not in text


def test_the_outcome_stands_in_words(page: Read) -> None:
    assert made.DECLARED.labels()["relapse"].means in page.text
