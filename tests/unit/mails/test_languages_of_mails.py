"""Mails in other languages: plurals, and what stands between a name and its value, as the language has it."""

from dataclasses import replace

import pytest

from memberships_export.domain.formats.options import LANGUAGES, Options
from memberships_export.domain.mail.facts import Ready, ready
from tests.factories import an_export
from tests.unit.mails.mail_reading import FILE, WRITER


def told(language: str, rows: int = 1) -> Ready:
    options = Options(language=language)
    export = an_export(export_id="exp-1", file=replace(FILE, rows=rows), options=options)
    return ready(export, link=None, possible_duplicate=False)


@pytest.mark.parametrize(
    "language, rows, sentence",
    [
        ("en", 1, "It has 1 membership."),
        ("en", 2, "It has 2 memberships."),
        ("de-CH", 1_000_000, "Er enthält 1'000'000 Mitgliedschaften."),
        ("de-AT", 1_000_000, "Er enthält 1.000.000 Mitgliedschaften."),
        ("en-GB", 1_234, "It has 1,234 memberships."),
        ("fr", 0, "Il contient 0 adhésion."),
        ("fr", 1, "Il contient 1 adhésion."),
        ("fr", 2, "Il contient 2 adhésions."),
        ("fr", 1_000_000, "Il contient 1\u00a0000\u00a0000 d\u2019adhésions."),
        ("fr", 1_000_001, "Il contient 1\u00a0000\u00a0001 adhésions."),
        ("it", 2_000_000, "Contiene 2.000.000 di iscrizioni."),
        ("nl", 1, "Er staat 1 lidmaatschap in."),
        ("nl", 0, "Er staan 0 lidmaatschappen in."),
        ("es", 1_000_000, "Contiene 1.000.000 de membresías."),
    ],
)
def test_a_number_of_memberships_reads_as_people_say_it(language: str, rows: int, sentence: str) -> None:
    written = WRITER.write(told(language, rows))

    assert sentence in written.text
    assert sentence in written.html.replace("&#39;", "'")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_stands_before_its_value_as_the_language_has_it(language: str) -> None:
    colon = "\u00a0:" if language == "fr" else ":"

    assert f"SHA-256{colon} {FILE.sha256}" in WRITER.write(told(language)).text


def test_each_language_has_a_subject_of_its_own() -> None:
    assert len({WRITER.write(told(language)).subject for language in LANGUAGES}) == len(LANGUAGES)
