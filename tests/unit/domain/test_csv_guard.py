import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.guard import could_need_guard, guard, unguard
from tests.unit.domain.csv_reading import IGNORED, TRIGGERS, could_run

# Mostly what the rules are about, so that combinations of them are common.
HOSTILE = st.text(st.sampled_from(TRIGGERS + IGNORED + "'''\r\n\n\nab1,;|"), max_size=12)
ANY_TEXT = st.one_of(HOSTILE, st.text(st.characters(exclude_categories=["Cs"])))


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_cell_that_begins_with_a_trigger_gets_an_apostrophe(trigger: str) -> None:
    assert guard(f"{trigger}1+1") == f"'{trigger}1+1"
    assert guard(trigger) == f"'{trigger}"


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_ignored_characters_do_not_hide_a_trigger(trigger: str) -> None:
    assert guard(f' \u00a0"\u200b\ufeff{trigger}1') == f"' \u00a0\"\u200b\ufeff{trigger}1"


def test_every_control_blank_and_invisible_character_is_ignored() -> None:
    blanks = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in {"Cc", "Zs", "Zl", "Zp"}]
    unseen = [c for c in {*blanks, *IGNORED} - {*"\r\n\t"} if guard(f"{c}=1") != f"'{c}=1"]

    assert unseen == []


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("trigger", sorted(set(TRIGGERS) - {"\r", "\n"}))
def test_a_trigger_at_the_start_of_a_line_inside_a_cell_is_guarded_there(line_end: str, trigger: str) -> None:
    assert guard(f"a{line_end} {trigger}1{line_end}b") == f"a{line_end}' {trigger}1{line_end}b"


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("trigger", sorted(set(TRIGGERS) - {"\r", "\n"}))
def test_a_trigger_after_what_another_program_splits_at_is_guarded_there(separator: str, trigger: str) -> None:
    assert guard(f"a{separator} {trigger}1{separator}b") == f"a{separator}' {trigger}1{separator}b".replace(
        "\t\t", "\t'\t" if trigger == "\t" else "\t\t"
    )


@pytest.mark.parametrize(
    "cell, guarded",
    [
        (";=1+1;", ";'=1+1;"),
        ("a;=1+1;x", "a;'=1+1;x"),
        (";=HYPERLINK(CHAR(104)&A1);", ";'=HYPERLINK(CHAR(104)&A1);"),
        (";;|=1", ";;|'=1"),
        (';"=1', ";'\"=1"),
        ("a;'=1", "a;''=1"),
        ("36.1, -120.4", "36.1,' -120.4"),
    ],
)
def test_a_formula_behind_a_separator_inside_a_cell_is_guarded(cell: str, guarded: str) -> None:
    assert guard(cell) == guarded
    assert unguard(guarded) == cell


@pytest.mark.parametrize("cell", ["Family, two adults", "a; b", "1|2", "a\tb", "x;", "Mon;Tue,Wed", "O'Brien, 'Pat'"])
def test_separators_before_nothing_dangerous_stay_as_they_are(cell: str) -> None:
    assert guard(cell) == cell


def test_each_dangerous_line_of_a_cell_gets_its_own_apostrophe() -> None:
    assert guard("=1\n=2\r\nok\n'=3") == "'=1\n'=2\r\nok\n''=3"
    assert guard("\r\n=1") == "'\r\n'=1"


@pytest.mark.parametrize(
    "cell",
    ["line1\r\nline2", "line1\nline2", "line1\rline2", "line1\n\nline3", "line1\r\n\r\nline3", "ends\n", "a\n \r\nb"],
)
def test_ordinary_line_breaks_inside_a_cell_stay_as_they_are(cell: str) -> None:
    assert guard(cell) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        "  padded  ",
        "Gold, Annual",
        "1-1",
        "a=b",
        "a@b.example",
        "\u2212 5",
        'He said "hi"',
        "Müller",
        "日本",
        "2026-01-01",
    ],
)
def test_ordinary_values_stay_as_they_are(cell: str) -> None:
    assert guard(cell) == cell


@pytest.mark.parametrize("cell", ["'t Hooft", "O'Brien", "'", "''", "'quoted'", "' '=1", "it's\n'so"])
def test_apostrophes_before_nothing_dangerous_stay_as_they_are_both_ways(cell: str) -> None:
    assert guard(cell) == cell
    assert unguard(cell) == cell


@pytest.mark.parametrize("cell", ["-1.50", "+44 20 7946 0000", "@handle", "- note", "+1", "-0"])
def test_harmless_text_that_looks_like_a_formula_is_guarded_too(cell: str) -> None:
    assert guard(cell) == f"'{cell}"
    assert unguard(f"'{cell}") == cell


@pytest.mark.parametrize("cell", ["'=1+1", "''=1+1", "' =1+1", "'\n", "'''\t"])
def test_a_cell_that_looks_guarded_already_gets_one_more_apostrophe(cell: str) -> None:
    assert guard(cell) == f"'{cell}"
    assert unguard(guard(cell)) == cell


def test_a_cell_that_was_never_guarded_is_not_changed_by_unguard() -> None:
    assert unguard("=1+1") == "=1+1"
    assert unguard("a\n-b") == "a\n-b"


@given(ANY_TEXT)
@settings(max_examples=500)
def test_unguard_gives_back_every_cell(cell: str) -> None:
    assert unguard(guard(cell)) == cell


@given(ANY_TEXT)
@settings(max_examples=500)
def test_no_guarded_cell_could_run(cell: str) -> None:
    assert not could_run(guard(cell))


@given(HOSTILE)
@settings(max_examples=500)
def test_the_guard_touches_only_cells_that_could_run_or_look_guarded(cell: str) -> None:
    without_apostrophes = re.sub(r"(?<![^\r\n,;|\t])'+", "", cell)  # those where a program may begin a cell

    assert (guard(cell) != cell) == could_run(without_apostrophes)


@given(st.lists(st.text("ab \r\n\t'\"=+-@,;|", max_size=6), max_size=4))
def test_cells_that_are_looked_at_together_are_guarded_when_one_of_them_has_to_be(cells: list[str]) -> None:
    assert could_need_guard(cells) or [guard(cell) for cell in cells] == cells
    assert not could_need_guard([cell for cell in cells if not set(cell) & set("\r\n\t'=+-@,;| \"")])
