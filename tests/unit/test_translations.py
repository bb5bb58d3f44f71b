"""What is said to members exists in every language, and the catalogues are what the tool makes of the texts."""

import ast
from collections.abc import Sequence
from gettext import GNUTranslations, c2py
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.domain.formats.options import LANGUAGES
from rig.translations import CATALOGUES, PACKAGE, ROOT, Found, extracted, mo, po, po_path, read, updated
from tests.catalogue_checks import SAME_IN, problems, reads_as_in_english

RUN = "run: make translations"
TRANSLATED = [language for language in LANGUAGES if language != "en"]
ROWS = ("%(count)s row", "%(count)s rows")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_the_texts_that_are_said_now_and_no_others(language: str) -> None:
    kept = po_path(language).read_bytes()

    assert kept == po(updated(language, extracted(), read(language))), RUN
    assert str(ROOT).encode() not in kept


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_at_run_time_is_compiled_from_what_people_edit(language: str) -> None:
    assert po_path(language).with_suffix(".mo").read_bytes() == mo(updated(language, extracted(), read(language))), RUN


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    assert problems(read(language)) == []


def test_there_is_a_catalogue_for_each_language_that_can_be_asked_for() -> None:
    assert sorted(folder.name for folder in CATALOGUES.iterdir()) == sorted(LANGUAGES)


def test_what_may_read_as_in_english_does() -> None:
    same = [
        (message.id if isinstance(message.id, str) else message.id[0], language)
        for language in TRANSLATED
        for message in read(language)
        if message.id and reads_as_in_english(message)
    ]

    assert sorted((text, language) for text, languages in SAME_IN.items() for language in languages) == sorted(same)


def test_what_is_marked_is_one_plain_text_and_found() -> None:
    """In an f-string it would not be: the tool reads Python's tokens, and before 3.12 such a string is one of them."""
    marked = {
        (ast.unparse(node.args[0]), path.relative_to(ROOT).as_posix())
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "translatable"
    }

    assert marked == {(repr(found.text), found.path) for found in extracted() if found.path.endswith(".py")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheets_of_a_workbook_have_names_that_they_may_have(language: str) -> None:
    translate = Catalogues().into(language)
    names = translate("About"), translate("Memberships")

    assert names[0].casefold() != names[1].casefold()
    assert all(len(name) <= 25 and not set(name) & set("[]:*?/\\'") for name in names)  # further sheets are numbered


@pytest.mark.parametrize(
    "language, forms",
    [
        ("en", [1, 0, 1, 1, 1]),
        ("de", [1, 0, 1, 1, 1]),
        ("fr", [0, 0, 2, 1, 2]),  # 0 ligne, 1 ligne, 2 lignes, 1 000 000 de lignes, 1 000 001 lignes
        ("it", [2, 0, 2, 1, 2]),
        ("nl", [1, 0, 1, 1, 1]),
        ("es", [2, 0, 2, 1, 2]),
    ],
)
def test_a_number_takes_the_plural_form_that_its_language_has_for_it(language: str, forms: Sequence[int]) -> None:
    chosen = c2py(read(language).plural_expr)

    assert [chosen(number) for number in (0, 1, 2, 1_000_000, 1_000_001)] == forms


@pytest.mark.parametrize(
    "english, french, problem",
    [
        ("Rows", "", "not translated"),
        (ROWS, ("%(count)s ligne", "%(count)s lignes", ""), "not in every plural form"),
        (ROWS, ("%(count)s ligne", "%(count)s lignes"), "not in every plural form"),
        ("Rows", "Rows", "reads as in English"),
        ("%(count)s rows", "lignes", "other placeholders"),
        ("%(count)s rows", "%(count)d lignes", "other placeholders"),
        ("{name} is gone", "{nom} n\u2019existe plus", "other placeholders"),
        (ROWS, ("une ligne", "%(count)s de lignes", "%(count)s lignes"), "other placeholders"),
        ("All rows", "Toutes  les lignes", "spaces too many"),
        ("All rows", "Toutes les lignes ", "spaces too many"),
        ("All rows.", "Toutes les lignes", "ends otherwise"),
        ("All rows", "Toutes les lignes.", "ends otherwise"),
        ("<b>All</b> rows", "Toutes les lignes", "other tags"),
        ("Rows & columns", "Lignes &amp;& colonnes", "a mark that a page"),
        ("All rows", "100\u00a0% des lignes", "a mark that a page"),
        ("All rows", "Lignes > 0", "a mark that a page"),
        ("The address", "L'adresse", "typewriter's quotes"),
        ("The state", 'L\u2019état "actif"', "typewriter's quotes"),
        ("Rows: all", "Lignes: toutes", "no-break space"),
        ("Rows: all", "Lignes : toutes", "no-break space"),
    ],
)
def test_a_translation_that_would_be_shown_wrong_is_noticed(
    english: str | tuple[str, str], french: str | tuple[str, ...], problem: str
) -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add(english, french)

    assert problem in " ".join(problems(catalogue))


def test_a_guess_is_noticed() -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add("Rows", "Lignes", flags=["fuzzy"])

    assert "is fuzzy" in " ".join(problems(catalogue))


def test_a_translation_with_all_that_may_be_in_it_is_right() -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add(ROWS, ("%(count)s ligne", "%(count)s de lignes", "%(count)s lignes"))
    catalogue.add(
        "Rows: <a>%(url)s</a> (https://example.org), 10:30", "Lignes\u00a0: <a>%(url)s</a> (https://example.org), 10:30"
    )

    assert problems(catalogue) == []


def test_texts_are_found_in_code_in_mails_and_in_profiles(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE.relative_to(ROOT)
    (package / "mail" / "ready").mkdir(parents=True)
    (package / "shipped" / "profiles").mkdir(parents=True)
    (package / "reasons.py").write_text('A = translatable("A. " "B.")\nB = other("No.")\n', encoding="utf-8")
    (package / "mail" / "ready" / "body.txt").write_text(
        "{% trans count=rows %}\n  One\n  row{% pluralize %}{{ count }} rows{% endtrans %}\n{{ gettext('A. B.') }}",
        encoding="utf-8",
    )
    (package / "shipped" / "profiles" / "a.toml").write_text(
        '[[columns]]\nname = "x"\nlabels = { en = "X" }\n[[columns]]\nname = "y"\n[filters.z]\nlabels = { en = "Z" }\n',
        encoding="utf-8",
    )

    within = "src/memberships_export"
    assert extracted(tmp_path) == [
        Found("A. B.", f"{within}/mail/ready/body.txt"),
        Found("A. B.", f"{within}/reasons.py"),
        Found(("One row", "%(count)s rows"), f"{within}/mail/ready/body.txt"),
        Found("X", f"{within}/shipped/profiles/a.toml"),
        Found("Z", f"{within}/shipped/profiles/a.toml"),
    ]


def test_an_update_keeps_what_is_translated_drops_what_is_said_no_more_and_guesses_nothing() -> None:
    old = Catalog(locale="de")
    old.add("Rows", "Zeilen", user_comments=["Not: Reihen."])
    old.add("All rows are here.", "Alle Zeilen sind da.")
    old.add("Gone", "Weg")
    old.add("One", "Einer")
    found = [
        Found("All rows are here", "a.py"),
        Found(("One", "Many"), "a.py"),
        Found("Rows", "b.py"),
        Found("Rows", "a.py"),
    ]

    made = updated("de", found, old)

    assert [message.id for message in made if message.id] == ["All rows are here", ("One", "Many"), "Rows"]
    assert po(made).decode().split("\n\n")[1:] == [
        '#: a.py\nmsgid "All rows are here"\nmsgstr ""',
        '#: a.py\nmsgid "One"\nmsgid_plural "Many"\nmsgstr[0] ""\nmsgstr[1] ""',
        '# Not: Reihen.\n#: a.py b.py\nmsgid "Rows"\nmsgstr "Zeilen"',
        "",
    ]


def test_english_texts_are_their_own_translation_with_both_forms() -> None:
    made = updated("en", [Found("Rows", "a.py"), Found(ROWS, "a.py")], Catalog(locale="en"))

    compiled = GNUTranslations(BytesIO(mo(made)))

    assert compiled.gettext("Rows") == "Rows"
    assert [compiled.ngettext(*ROWS, number) for number in (0, 1, 2)] == [ROWS[1], ROWS[0], ROWS[1]]


@pytest.mark.parametrize(
    "language, text", [("de", "Zeilen"), ("de-CH", "Zeilen"), ("fr-CA", "Lignes"), ("en-GB", "Rows"), ("sv", "Rows")]
)
def test_a_text_is_translated_whatever_the_region(language: str, text: str) -> None:
    assert Catalogues().into(language)("Rows") == text
