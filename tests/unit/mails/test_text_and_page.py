"""Text and page of each mail, in each language and variant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pytest

from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.domain.export.record import Stage
from memberships_export.domain.formats.options import LANGUAGES, FilterValue, Format, Options
from memberships_export.domain.mail import facts
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.source.grades import GRADE_TEXTS, Grade
from tests.factories import REQUESTED_AT, an_export
from tests.unit.mails.mail_reading import FILE, LINK, MailPage, failed

LOGO = "https://club.example/logo.png?v=2"
PAGE = "https://club.example/contact"
BRANDS = {
    "plain": Brand(),
    "brand": Brand(name="TSV <Süd> & Söhne", colour="#ffd500", contact="info@club.example"),
    "logo": Brand(name="Club", logo_url=LOGO, colour="#000000", contact=PAGE),
}
WRITERS = {brand: TemplateMailWriter(brand, strict=True) for brand in BRANDS.values()}
LIMIT = 100_000  # bytes; Gmail shows no more than 102 kB of a mail


def every_ready(language: str) -> Iterator[tuple[str, facts.Facts]]:
    options = Options(language=language, time_zone="Europe/Berlin")
    attached = facts.ready(
        an_export(export_id="exp-1", file=FILE, options=options), link=None, possible_duplicate=False
    )
    chosen = replace(options, format=Format.XLSX, columns=("id", "name"), filters=(FilterValue("state", "active"),))
    narrowed = an_export(export_id="exp-1", file=FILE, options=chosen)
    yield "attached", attached
    yield "linked", replace(attached, link=LINK)
    yield "guarded-once", replace(attached, guarded=1, rows=1)
    yield "guarded-duplicate", replace(attached, guarded=7, rows=0, possible_duplicate=True, link=LINK)
    yield "chosen", facts.ready(narrowed, link=LINK, possible_duplicate=False)
    for grade in Grade:
        yield grade, replace(attached, completeness=GRADE_TEXTS[grade], moved_between=(REQUESTED_AT, REQUESTED_AT))


def every_failed(language: str) -> Iterator[tuple[str, facts.Facts]]:
    codes = ("mail_refused", "columns_gone", "gave_up_waiting", "foreign_rows")
    for advice, code, stage in zip(facts.Advice, codes, [*Stage, Stage.FETCH], strict=True):
        export = failed(code, stage, FILE if advice is facts.Advice.TAKE_THE_FILE else None)
        told = facts.failed(replace(export, options=Options(language=language, time_zone="Asia/Kolkata")))
        yield advice, replace(told, advice=advice)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    brand: Brand
    facts: facts.Facts

    @property
    def written(self) -> Written:
        return WRITERS[self.brand].write(self.facts)


def every_case() -> Iterator[Case]:
    for language, (look, brand) in product(LANGUAGES, BRANDS.items()):
        for variant, told in [*every_ready(language), *every_failed(language)]:
            yield Case(f"{told.event}-{variant}-{language}-{look}", brand, told)


CASES = list(every_case())
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each
def test_text_and_page_say_the_same_in_the_same_order(case: Case) -> None:
    written = case.written
    page = MailPage(written.html).text
    assert re.findall(r"[\w/.-]+", page) == re.findall(r"[\w/.-]+", written.text.replace(LINK, ""))


@each
def test_the_page_is_small_names_its_language_and_loads_nothing_but_the_logo(case: Case) -> None:
    written = case.written
    page = MailPage(written.html)
    logo, contact = case.brand.logo_url, case.brand.contact
    names = {tag for tag, _ in page.tags}
    assert len(written.html.encode()) < LIMIT
    assert ("html", {"lang": case.facts.language, "dir": "ltr"}) in page.tags
    assert {"title", "h1", "h2"} <= names
    assert not names & {"script", "link", "iframe", "object", "form", "video", "svg", "base"}
    assert not re.search(
        r"url\(|@import|@font-face|https?:", re.sub(r'(href|src)="[^"]*"|(?<=>)[^<]*', "", written.html)
    )
    assert [attributes["src"] for _, attributes in page.tags if "src" in attributes] == [logo] * bool(logo)
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links == {*_links(case), *({PAGE, "mailto:info@club.example"} & {contact, f"mailto:{contact}"})}


def _links(case: Case) -> set[str]:
    link = getattr(case.facts, "link", None)
    return {link} if link else set()


@each
def test_only_what_is_a_table_is_told_to_be_one(case: Case) -> None:
    """A screen reader would announce the tables that only give the page its shape."""
    tables = [attributes.get("role") for tag, attributes in MailPage(case.written.html).tags if tag == "table"]
    assert tables.count(None) == 1
    assert set(tables) == {None, "presentation"}


@each
def test_nothing_is_left_of_the_template(case: Case) -> None:
    written = case.written
    for shown in (written.subject, written.text, written.html):
        assert not re.search(r"[{}]{2}|\{%|%\(|&amp;(amp|lt|gt|#)|None|Undefined|<Macro|&lt;Macro", shown)
    assert "\n\n\n" not in written.text
    assert written.text == written.text.strip() + "\n"
