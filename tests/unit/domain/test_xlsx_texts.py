"""Texts in cells of XLSX: two other programs read back what was written, whatever it is."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer
from tests.readers import own_reader
from tests.unit.domain.xlsx_reading import TEXT, a_file, by_calamine, by_openpyxl, corpora, names, part

UNPAIRED = st.characters(categories=["Cs"]) | st.sampled_from("\ufffe\uffff")
PIECES = st.sampled_from(
    ["_x0041_", "_x", "_", "x005F_", " ", "\n", "\r", "\t", "\x01", "&", "<", ">", "]]>", "a", "😀"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
ODD = st.lists(PIECES, max_size=6).map("".join)


def read_back(texts: list[str | None], page: int = 1000) -> list[str | None]:
    """What openpyxl reads of a column; calamine has to read the same."""
    content = a_file([TEXT, TEXT], [texts, ["."] * len(texts)], page=page)
    cells = [row[0] for row in by_openpyxl(content)[1:]]
    assert [row[0] for row in by_calamine(content)[1:]] == [cell or "" for cell in cells]
    return cells


def test_every_text_of_every_corpus_is_read_back(shared_data: Path) -> None:
    texts = corpora(shared_data)

    assert len(texts) > 8_000
    assert [cell or "" for cell in read_back([*texts])] == [text.replace("\ufffe", "\ufffd") for text in texts]


@given(st.lists(st.none() | TEXTS | ODD, min_size=1, max_size=30), st.integers(1, 90))
@example(["_x0041_x0042_", "\x01x0041_", "_\x01_", "_x005F_x0041_"], 10)
@settings(max_examples=40)
def test_any_texts_are_read_back(texts: list[str | None], page: int) -> None:
    # Many that differ, few that differ, and one that is special among many: each is written in its own way.
    for column in (texts, texts * 9, [*map(str, range(99)), *texts]):
        assert [cell or "" for cell in read_back(column, page)] == [text or "" for text in column]


def test_nothing_and_empty_text_are_two_things() -> None:
    xml = part(a_file([TEXT], [[None, ""]]), "xl/worksheets/sheet1.xml")

    assert '<row><c/></row><row><c t="inlineStr"><is><t></t></is></c></row>' in xml


@pytest.mark.parametrize("text", [" a", "a ", "\ta", "a\n", "a\nb", "\u00a0a", " "])
def test_blanks_at_the_ends_and_lines_are_kept(text: str) -> None:
    content = a_file([TEXT], [[text]])

    assert 'xml:space="preserve"' in part(content, "xl/worksheets/sheet1.xml")
    assert read_back([text]) == [text]
    many = a_file([TEXT], [[*map(str, range(99)), text, "last"]])
    assert part(many, "xl/worksheets/sheet1.xml").count('xml:space="preserve"') == 1


@given(st.lists(UNPAIRED | TEXTS, max_size=8).map("".join))
@example("\ud83d\ude00")
def test_what_no_xml_can_hold_is_shown_as_a_replacement_character(text: str) -> None:
    expected = "".join("\ufffd" if "\ud800" <= one <= "\udfff" or one in "\ufffe\uffff" else one for one in text)

    assert (read_back([text])[0] or "") == expected


def test_a_page_with_half_a_character_is_refused_before_it_could_be_written() -> None:
    page = b'{"items": [%s], "nextCursor": null}' % b'{"id": 1, "name": "\\ud800"}'

    with pytest.raises(MembershipsContractBroken):
        own_reader().read(Answer(page))


def test_the_longest_text_of_a_cell_stays_and_a_longer_one_is_cut_marked_and_counted() -> None:
    fits, longer = "x" * 32_767, "y" * 40_000
    content = a_file([TEXT], [[fits, longer, longer, "z"]])

    first, second, third, last = [row[0] for row in by_openpyxl(content)[1:]]
    assert (first, last) == (fits, "z")
    assert second == third == "y" * 32_763 + " […]"
    assert ["Cut", 2] in by_openpyxl(content, 1)


def test_nothing_is_said_of_cut_texts_where_none_was() -> None:
    assert "Cut" not in [row[0] for row in by_openpyxl(a_file([TEXT], [["a"]]), 1)]


@pytest.mark.parametrize("text,kept", [("😀" * 16_384, 16_381), ("a" + "😀" * 16_384, 16_381)])
def test_a_cell_is_measured_in_the_units_of_excel_and_no_character_is_halved(text: str, kept: int) -> None:
    cell = read_back([text])[0]

    assert cell is not None
    assert cell.endswith("😀 […]")
    assert (cell.count("😀"), len(cell.encode("utf-16-le")) // 2 <= 32_767) == (kept, True)
    assert read_back(["😀" * 16_383]) == ["😀" * 16_383]


def test_a_long_text_is_cut_wherever_it_stands() -> None:
    long = "x" * 32_768

    assert {read_back([*map(str, range(count)), long, None])[count] for count in (0, 1, 99)} == {"x" * 32_763 + " […]"}


def test_no_text_is_a_formula_or_a_shared_string() -> None:
    content = a_file([TEXT], [["=1+1", "@SUM(A1)", "+1", "-1", "00042", "1e5", "TRUE", "NaN"]])

    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert ("<f>" in sheet, "xl/sharedStrings.xml" in names(content)) == (False, False)
    assert read_back(["=1+1", "00042", "NaN"]) == ["=1+1", "00042", "NaN"]
