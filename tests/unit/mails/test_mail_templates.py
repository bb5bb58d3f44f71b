"""Templates name what is there; where one does not, no member pays for it."""

import logging
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import DictLoader, TemplateError, UndefinedError
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from jinja2.nodes import Import, Template

from memberships_export.adapters.texts import mail_templates
from memberships_export.adapters.texts.mail_templates import FOLDER, MailTemplates, environment, look
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.facts import Facts, Failed, Ready, ready
from tests.factories import an_export
from tests.unit.mails.mail_reading import FILE

EVENTS: dict[str, type[Facts]] = {kind.event: kind for kind in (Ready, Failed)}
PARTS = ["body.html", "body.txt", "subject.txt"]
KNOWN = {*look(Brand()), *environment(strict=True).globals}
TOLD = ready(an_export(export_id="exp-1", file=FILE), link=None, possible_duplicate=False)


def test_each_mail_has_its_three_templates() -> None:
    found = {
        folder.name: sorted(path.name for path in folder.iterdir()) for folder in FOLDER.iterdir() if folder.is_dir()
    }
    assert found == dict.fromkeys(EVENTS, PARTS)


def named(template: str) -> set[str]:
    """Return every name that a template takes from what it is given, also through those that it builds on."""
    made = environment(strict=True)
    tree = made.parse((FOLDER / template).read_text(encoding="utf-8"))
    imported = {found.target for found in tree.find_all(Import)}
    return (find_undeclared_variables(tree) - imported).union(*map(named, _built_on(tree)))


def _built_on(tree: Template) -> Iterator[str]:
    for name in find_referenced_templates(tree):
        assert name is not None, "the name of a template is written out"
        yield name


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("part", PARTS)
def test_every_name_in_a_template_is_one_of_the_facts_or_of_the_brand(event: str, part: str) -> None:
    told = {field.name for field in fields(EVENTS[event])}
    assert named(f"{event}/{part}") - told - KNOWN == set()


@pytest.mark.parametrize("event", EVENTS)
def test_no_fact_hides_a_part_of_the_look(event: str) -> None:
    assert {field.name for field in fields(EVENTS[event])} & KNOWN == set()


@pytest.mark.parametrize("event", EVENTS)
def test_every_fact_is_told_by_some_template(event: str) -> None:
    by_filters = {"time_zone"}  # the filter for times looks it up
    told = {field.name for field in fields(EVENTS[event])} - by_filters
    assert told - set[str]().union(*(named(f"{event}/{part}") for part in PARTS)) == set()


def templates(monkeypatch: pytest.MonkeyPatch, *, strict: bool, **texts: str) -> MailTemplates:
    """Make templates of these texts, by the names a and so on; `a.html` is `a_html` here."""

    def loader(_: Path) -> DictLoader:
        return DictLoader({name.replace("_", "."): text for name, text in texts.items()})

    monkeypatch.setattr(mail_templates, "FileSystemLoader", loader)
    return MailTemplates(Brand(), strict=strict)


MISTAKES = [
    "{{ nme }}",
    "{{ nme.first.last }}",
    "{{ nme|moment }}",
    "{{ nme|number }}",
    "{% if nme %}x{% endif %}",
    "{{ nme|kind }}",
]


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", ["a.txt", "a.html"])
def test_a_name_that_is_not_there_is_left_out_of_a_mail_and_told_to_the_operator(
    mistake: str, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = templates(monkeypatch, strict=False, **{name.replace(".", "_"): f"It has {mistake}{{{{ rows|number }}}}."})
    with caplog.at_level(logging.ERROR):
        assert made.render(name, TOLD) == "It has 1,234."
    assert "name=nme event=mail_name_missing" in caplog.text


@pytest.mark.parametrize("mistake", MISTAKES)
def test_in_tests_it_is_an_error(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UndefinedError, match="nme"):
        templates(monkeypatch, strict=True, a_txt=mistake).render("a.txt", TOLD)


def test_pages_escape_and_texts_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{% set x = "<b> & %s" %}{{ x }} {{ _("%(x)s and", x=x) }} {{ ngettext("%(x)s", "%(x)s", 2, x=x) }}'
    made = templates(monkeypatch, strict=True, a_html=text, a_txt=text)
    assert made.render("a.txt", TOLD) == "<b> & %s <b> & %s and <b> & %s"
    assert made.render("a.html", TOLD) == "&lt;b&gt; &amp; %s &lt;b&gt; &amp; %s and &lt;b&gt; &amp; %s"


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.*")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_template_switches_escaping_off(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "|safe" not in text.replace(" ", "")
    assert "autoescape" not in text


def test_a_template_that_cannot_be_read_is_an_error_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TemplateError):
        templates(monkeypatch, strict=False, a_txt="{% if %}").render("a.txt", TOLD)
