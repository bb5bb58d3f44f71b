"""How a file is written is told from its beginning, and what can be read in two ways is asked for."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memberships_api.csv_files.dates import ISO, DateFormat, TwoFormats, given_format, guessed_format
from memberships_api.csv_files.decimals import Mark, TwoMarks, guessed_mark, parse_price
from memberships_api.csv_files.delimiters import delimiter_line, given_delimiter, guessed_delimiter
from memberships_api.csv_files.dialect import Choices, Dialect
from memberships_api.csv_files.encodings import check_container, given_encoding, guessed_encoding
from memberships_api.csv_files.mapping import ColumnMapping
from memberships_api.csv_files.sniffing import check_choices, sniff

HEADER = "userId;name;recurringPrice;validFrom"
GERMAN = f"{HEADER}\r\nuser-1;Größe;29,90;31.12.2024\r\n"
FORMATS = ["YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "YYYYMMDD"]
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31))


def sniffed(text: str | bytes, mapping: ColumnMapping | None = None, **said: str) -> Dialect:
    sample = text if isinstance(text, bytes) else text.encode()
    return sniff(sample, Choices(**said), mapping or ColumnMapping())


def written(day: date, form: str) -> str:
    return form.replace("YYYY", f"{day.year:04}").replace("MM", f"{day.month:02}").replace("DD", f"{day.day:02}")


# --- Encoding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding,told",
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_an_encoding_is_told_from_the_bytes(encoding: str, told: str) -> None:
    dialect = sniffed(GERMAN.encode(encoding))
    assert (dialect.encoding, dialect.delimiter, dialect.decimal) == (told, ";", ",")
    assert dialect.word == "Größe"
    assert ("--encoding" in dialect.guessed) == (told != "utf-8")


@pytest.mark.parametrize("encoding", ["cp850", "cp437", "mac-roman"])
@pytest.mark.parametrize("word", ["Größe", "Müller", "Kür", "Straßenläufer"])
def test_what_is_no_word_in_cp1252_is_asked_for(encoding: str, word: str) -> None:
    with pytest.raises(ValueError, match="say --encoding"):
        guessed_encoding(word.encode(encoding))


@pytest.mark.parametrize(
    "text", ["l\u2019été", "Œuvre cœur", "Žižek", "Zürich \u2013 10 €", "naïve", "«Gold»", "Größe"]
)
def test_words_of_western_europe_are_read_in_cp1252(text: str) -> None:
    assert guessed_encoding(text.encode("cp1252")) == "cp1252"


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), cut=st.integers(0, 3))
def test_text_in_utf_8_is_told_also_when_the_sample_ends_within_a_character(text: str, cut: int) -> None:
    sample = ("userId,name\n" + text + "🧘").encode()
    assert guessed_encoding(sample[: len(sample) - cut]) == "utf-8"


@pytest.mark.parametrize(
    "mark,what",
    [(b"PK\x03\x04", "spreadsheet"), (b"\xd0\xcf\x11\xe0", "Excel"), (b"\x1f\x8b", "gzip"), (b"%PDF", "PDF")],
)
def test_files_that_are_no_text_are_named(mark: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        check_container(mark + bytes(100))


@pytest.mark.parametrize("name", ["rot13", "base64", "no-such", "", "\0"])
def test_what_is_no_encoding_of_text_cannot_be_said(name: str) -> None:
    with pytest.raises(ValueError, match="is no encoding"):
        given_encoding(name)


# --- Delimiter --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@given(cells=st.lists(st.text(st.sampled_from('abc ,;|"\t'), max_size=6), min_size=3, max_size=3))
def test_the_delimiter_is_the_one_that_finds_the_wanted_columns(delimiter: str, cells: list[str]) -> None:
    row = delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells)
    sample = f"userId{delimiter}name{delimiter}state\n{row}\n{row}\n"
    assert guessed_delimiter(sample, {"userId", "name", "state"}) == delimiter


def test_a_line_that_names_the_delimiter_is_believed() -> None:
    assert guessed_delimiter("sep=;\r\na,b;c,d\r\n", {"a", "b"}) == ";"
    assert [delimiter_line(line) for line in ("sep=|\n", '"sep=;"\r\n', "SEP=\t\n", "separated;by\n")] == [
        *("|", ";", "\t", None)
    ]


def test_a_header_that_two_delimiters_split_alike_is_asked_for() -> None:
    with pytest.raises(ValueError, match="commas or semicolons: say --delimiter"):
        guessed_delimiter("a,b;c\n1,2;3\n", set())


def test_a_file_of_one_column_needs_no_delimiter() -> None:
    assert guessed_delimiter("userId\nuser-1\n", {"userId"}) == ","


@pytest.mark.parametrize("text,delimiter", [("tab", "\t"), ("\\t", "\t"), (";", ";"), ("Pipe", "|"), ("^", "^")])
def test_a_delimiter_can_be_said_by_name(text: str, delimiter: str) -> None:
    assert given_delimiter(text) == delimiter


@pytest.mark.parametrize("text", ["", "ab", '"', "\n", "a", "1", "-", "."])
def test_what_cannot_separate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot separate columns"):
        given_delimiter(text)


# --- Prices -----------------------------------------------------------------------------------------------------------

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@given(prices=st.lists(amounts, min_size=1, max_size=8), mark=st.sampled_from([".", ","]), by=st.sampled_from("_ .,'"))
def test_prices_with_two_decimals_tell_their_mark_and_are_read_exactly(
    prices: list[Decimal], mark: Mark, by: str
) -> None:
    assume(by != mark)
    into = str.maketrans({",": "" if by == "_" else by, ".": mark})
    texts = [f"{price:,.2f}".translate(into) for price in prices]
    assert guessed_mark(texts) == mark
    assert [parse_price(text, mark) for text in texts] == prices


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.345", "999,000"])
def test_thousands_or_three_decimals_alone_are_asked_for(text: str) -> None:
    with pytest.raises(TwoMarks, match="say --decimal"):
        guessed_mark(["75", text])
    with pytest.raises(ValueError, match=r"say --decimal|write a plain decimal"):
        parse_price(text, None)


def test_another_price_tells_what_thousands_are() -> None:
    assert guessed_mark(["1.234", "29,90"]) == ","
    assert guessed_mark(["1.234", "29.90"]) == "."
    assert guessed_mark(["1.234.567"]) == ","
    assert guessed_mark(["0.125"]) == "."
    assert (parse_price("1.234", ","), parse_price("1.234", ".")) == (Decimal(1234), Decimal("1.234"))


def test_prices_with_both_marks_are_asked_for() -> None:
    with pytest.raises(TwoMarks, match=r"'29,90' and like '29\.90'"):
        guessed_mark(["29,90", "29.90"])


@pytest.mark.parametrize(
    "text", ["\uff11\uff12.\uff15", " 1_0.5 ", "1_0.5", "1,23,456.00", "1.23,4", "1e3", "NaN", "5 €", "", "١٢"]
)
@pytest.mark.parametrize("mark", [".", ",", None])
def test_what_only_looks_like_a_number_is_refused(text: str, mark: Mark | None) -> None:
    assert guessed_mark([text]) is None
    with pytest.raises(ValueError, match="write a"):
        parse_price(text, mark)


# --- Dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@given(found=st.lists(days, min_size=1, max_size=6))
def test_dates_are_read_as_written_or_asked_for_and_never_otherwise(form: str, found: list[date]) -> None:
    try:
        told = guessed_format([written(day, form) for day in found])
    except TwoFormats:
        assert all(day.day <= 12 for day in found) or form == "YYYYMMDD"
    else:
        assert [told.parse(written(day, form)) for day in found] == [day.isoformat() for day in found]


@pytest.mark.parametrize("separator", ["/", "-"])
def test_days_up_to_the_twelfth_are_asked_for(separator: str) -> None:
    dates = [f"0{day}{separator}0{month}{separator}2024" for day, month in product((1, 2), (3, 4))]
    with pytest.raises(TwoFormats, match=r"say --date-format DD.MM.YYYY or --date-format MM.DD.YYYY"):
        guessed_format(dates)
    assert guessed_format([*dates, f"13{separator}01{separator}2024"]).text == f"DD{separator}MM{separator}YYYY"


def test_dates_of_two_orders_contradict() -> None:
    with pytest.raises(TwoFormats, match=r"13/01/2024.*01/13/2024"):
        guessed_format(["13/01/2024", "14/01/2024", "01/13/2024"])


def test_one_mistake_does_not_change_how_all_others_are_read() -> None:
    assert guessed_format(["31.12.2024", "30.11.2024", "tomorrow"]).text == "DD.MM.YYYY"
    assert guessed_format(["2024-12-31", "2024-11-30", "31.12.2024"]) == ISO


def test_a_spreadsheet_leaves_zeros_away() -> None:
    assert guessed_format(["1/31/2024"]).parse("2/9/2024") == "2024-02-09"


@pytest.mark.parametrize("text", ["DD.MM.YYYY", "dd.mm.yyyy", "%d.%m.%Y"])
def test_a_format_can_be_said_in_two_ways(text: str) -> None:
    assert given_format(text) == DateFormat("DD.MM.YYYY")


@pytest.mark.parametrize("text", ["", "DD.MM", "DD.MM.YY", "DD.DD.YYYY", "DD.MM-YYYY", "%d.%m.%y", "31.12.2024", "dmy"])
def test_what_is_no_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no format of dates"):
        given_format(text)


# --- All of it --------------------------------------------------------------------------------------------------------


def test_what_was_guessed_is_told_with_the_options_that_would_say_otherwise() -> None:
    assert sniffed(GERMAN.encode("cp1252")).told("in.csv") == (
        "Reading in.csv as cp1252 (with words like 'Größe'), separated by semicolons, decimal comma, "
        "dates as DD.MM.YYYY (31.12.2024): say --encoding, --delimiter, --decimal or --date-format if that is wrong."
    )


def test_a_plain_file_and_what_was_said_need_no_word() -> None:
    plain = "userId,name,recurringPrice,validFrom\nuser-1,Größe,29.90,2024-12-31\n"
    assert sniffed(plain).told("in.csv") is None
    said = {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "date_format": "DD.MM.YYYY"}
    assert sniffed(GERMAN.encode("cp1252"), None, **said).told("in.csv") is None


def test_what_is_said_is_never_guessed() -> None:
    dialect = sniffed(GERMAN, None, decimal=".", date_format="MM/DD/YYYY", delimiter="|", encoding="latin-1")
    assert (dialect.decimal, dialect.date_format.text, dialect.delimiter) == (".", "MM/DD/YYYY", "|")
    assert dialect.encoding == "iso8859-1"


def test_mapped_columns_and_constants_are_what_is_looked_at() -> None:
    mapping = ColumnMapping({"validFrom": "Beginn"}, {"recurringPrice": "29,90"})
    dialect = sniffed("Beginn;Preis;userId\n31.12.2024;29.90;user-1\n", mapping)
    assert (dialect.decimal, dialect.date_format.text) == (",", "DD.MM.YYYY")


@given(st.binary(max_size=200))
def test_any_bytes_are_judged_without_breaking(sample: bytes) -> None:
    with suppress(ValueError):  # what it is, or what to say
        assert sniffed(sample).encoding


@pytest.mark.parametrize(
    "said", [{"encoding": "x"}, {"delimiter": "ab"}, {"decimal": "x"}, {"date_format": "x"}], ids=str
)
def test_what_makes_no_sense_in_any_file_is_refused_before_one_is_opened(said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"'(x|ab)'"):
        check_choices(Choices(**said))
