"""Pages hold in the programs that members read their mails with, as html-validate and caniemail know them."""

from collections.abc import Mapping

import pytest

from rig.mails.check_pages import INSTALLED, Told, told_of
from tests.unit.mails.test_text_and_page import CASES

pytestmark = pytest.mark.skipif(not INSTALLED, reason="html-validate and caniemail are not installed: make install-rig")

# What Outlook, Gmail, Apple Mail or Yahoo cannot do, and why a mail has it all the same.
ALLOWED: Mapping[str, str] = {
    "<body> element": "it becomes a div there; what it does, a table around everything does too",
    "<style> element": "it holds only what a mail can be read without",
    "@media": "without it there is no dark mode, and more space at the sides of a small screen",
    "border-radius": "without it corners are square",
    "color-scheme CSS property": "without it a program darkens the mail in its own way, or not at all",
    "color-scheme meta tag": "as the property",
    "display:none": "without it the first sentence is shown twice",
    "height property": "the logo has an attribute that says the same",
    "max-height property": "only hides what display:none hides as well",
    "overflow": "the same",
    "role attribute": "a screen reader may announce tables that only give shape",
    "word-break": "without it a checksum makes the column wider on a small screen",
}


@pytest.fixture(scope="module")
def told() -> Mapping[str, Told]:
    return told_of({case.name: case.written.html for case in CASES})


def test_every_page_is_right_html(told: Mapping[str, Told]) -> None:
    assert {name: of_page.wrong for name, of_page in told.items() if of_page.wrong} == {}
    assert len(told) == len(CASES)


def test_what_a_mail_program_cannot_do_a_mail_can_do_without(told: Mapping[str, Told]) -> None:
    missing = {feature: program for of_page in told.values() for program, feature in of_page.unsupported}
    assert {feature: program for feature, program in missing.items() if feature not in ALLOWED} == {}
    assert set(ALLOWED) - set(missing) == set(), "nothing needs these any more: take them off the list"


def test_what_is_wrong_is_found() -> None:
    head = '<!DOCTYPE html><html lang="en"><head><title>x</title></head>'
    page = f'{head}<body><p style="display: grid">x</div></body></html>'
    told = told_of({"wrong": page})["wrong"]
    assert any(problem.startswith("close-order") for problem in told.wrong)
    assert ("outlook.windows", "display:grid") in told.unsupported
