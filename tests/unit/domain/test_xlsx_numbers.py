"""Numbers in cells of XLSX: numbers where Excel keeps each digit and shows it, text where not."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.profile import Column
from tests.readers import own_reader
from tests.unit.domain.xlsx_reading import a_file, by_calamine, by_openpyxl, formats, part

INTEGER = Column(name="number", type="integer")
AMOUNT = Column(name="amount", type="decimal")
PRICED = Column(name="amount", type="minor_units", currency="currency")
DIGITS = st.text("0123456789", min_size=1, max_size=20)
AMOUNTS = st.builds(
    lambda *parts: "".join(parts), st.sampled_from(["", "-"]), DIGITS, st.just("") | DIGITS.map(".{}".format)
)


def cells_of(column: Column, texts: Sequence[str]) -> list[Any]:
    """What openpyxl reads of values; calamine has to read the same."""
    content = a_file([column], [texts])
    found = [row[0] for row in by_openpyxl(content)[1:]]
    assert found == [row[0] for row in by_calamine(content)[1:]]
    return found


def cell_of(column: Column, text: str) -> Any:  # noqa: ANN401  (what the readers make of it)
    return cells_of(column, [text])[0]


def written(column: Column, texts: list[str | None], currencies: Any = None) -> str:  # noqa: ANN401
    content = a_file([column], [texts], currencies=[currencies] if currencies else ())
    return part(content, "xl/worksheets/sheet1.xml").partition("</row>")[2]


@pytest.mark.parametrize("number", ["0", "-7", "123456789012345", "-12345678901234"])
def test_a_whole_number_is_a_number_without_separators(number: str) -> None:
    assert cell_of(INTEGER, number) == int(number)
    assert formats(a_file([INTEGER], [[number]])) == ["0"]


@pytest.mark.parametrize("number", ["1234567890123456", "12345678901234567", "-9223372036854775808"])
def test_a_number_of_which_excel_would_change_digits_is_text(number: str) -> None:
    assert cell_of(INTEGER, number) == number
    assert cell_of(AMOUNT, number) == number
    assert cell_of(AMOUNT, f"0.{number.strip('-')}") == f"0.{number.strip('-')}"


def test_a_number_of_which_excel_would_not_show_the_last_decimals_is_text() -> None:
    assert cells_of(AMOUNT, [f"0.{'0' * 29}1", f"0.{'0' * 30}1"]) == [1e-30, f"0.{'0' * 30}1"]


def test_zeros_at_the_end_of_a_long_number_are_no_digits_that_could_change() -> None:
    assert cell_of(INTEGER, "1000000000000000000") == 10**18


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
@example([999_999_999_999_999, 9_999_999_999_999_999])
@settings(max_examples=30)
def test_no_whole_number_loses_a_digit(numbers: list[int]) -> None:
    assert [int(cell) for cell in cells_of(INTEGER, [str(number) for number in numbers])] == numbers


@given(st.lists(AMOUNTS, min_size=1))
@example(["-0.00", "007.50", "0.1000000000000000055511151231257827021181583404541015625", f"0.{'0' * 40}1"])
@settings(max_examples=30)
def test_no_amount_loses_a_digit(amounts: list[str]) -> None:
    found = cells_of(AMOUNT, amounts)

    # The shortest text of a number names it; it has its 15 digits exactly.
    assert [Decimal(str(cell)) for cell in found] == [Decimal(amount) for amount in amounts]


@given(st.lists(st.none() | AMOUNTS, min_size=1, max_size=30), st.integers(1, 30))
@settings(max_examples=30)
def test_digits_are_copied_and_never_written_with_an_exponent(amounts: list[str | None], page: int) -> None:
    sheet = part(a_file([AMOUNT], [amounts], page=page), "xl/worksheets/sheet1.xml")
    numbers = re.findall("<v>(.*?)</v>", sheet)

    assert [number for number in numbers if not re.fullmatch(r"0|-?(0|[1-9][0-9]*)(\.[0-9]+)?", number)] == []
    assert sheet.count("<c/>") == amounts.count(None)
    assert not re.search(r"<v>-0(\.0*)?</v>", sheet)


@pytest.mark.parametrize(
    "amount,currency,shown",
    [
        ("29.90", None, "#,##0.00"),
        ("29", None, "#,##0.00"),
        ("29.905", None, f"#,##0.00{'#' * 28}"),
        ("29.90", "CHF", "#,##0.00 [$CHF]"),
        ("29.90", "chf", "#,##0.00 [$CHF]"),
        ("29.900", "CHF", "#,##0.00 [$CHF]"),
        ("29.905", "CHF", f"#,##0.00{'#' * 28} [$CHF]"),
        ("2990", "JPY", "#,##0 [$JPY]"),
        ("2990.50", "JPY", f"#,##0.{'#' * 30} [$JPY]"),
        ("29.905", "KWD", "#,##0.000 [$KWD]"),
        ("29.90", "points", "#,##0.00"),
        ("29.90", '"]', "#,##0.00"),
        ("29.90", "XXX", "#,##0.00"),
    ],
)
def test_an_amount_shows_its_currency_and_all_of_its_decimals(amount: str, currency: str | None, shown: str) -> None:
    assert formats(a_file([PRICED], [[amount]], currencies=[[currency]])) == [shown]
    assert formats(a_file([PRICED], [[amount, None]], currencies=[[currency, "EUR"]])) == [shown]


def test_a_currency_of_the_profile_counts_before_iso_4217() -> None:
    column = Column(name="amount", type="minor_units", currency="currency", exponents={"chf": 3, "ABC": 1})

    assert formats(a_file([column], [["1.250"]], currencies=[["CHF"]])) == ["#,##0.000 [$CHF]"]
    assert formats(a_file([column], [["1.5"]], currencies=[["ABC"]])) == ["#,##0.0 [$ABC]"]


def test_an_amount_beside_which_no_currency_stands_is_a_plain_one() -> None:
    rows = written(PRICED, ["1.50", "2.50", None], ["EUR", None, "EUR"])

    assert [Decimal(number) for number in re.findall("<v>(.*?)</v>", rows)] == [Decimal("1.5"), Decimal("2.5")]
    assert len(set(re.findall('s="([0-9]+)"', rows))) == 2


def test_no_more_number_formats_are_written_than_excel_takes() -> None:
    codes = ["CHF", "EUR", "JPY"] + [f"A{chr(65 + i // 26)}{chr(65 + i % 26)}" for i in range(300)]
    column = Column(name="amount", type="minor_units", currency="currency", exponents=dict.fromkeys(codes[3:], 2))

    content = a_file([column], [["1.50"] * len(codes)], currencies=[codes])

    assert part(content, "xl/styles.xml").count("<numFmt ") <= 200
    assert [row[0] for row in by_openpyxl(content)[1:]] == [1.5] * len(codes)


@pytest.mark.parametrize("price", ["NaN", '"NaN"', "Infinity", '"-Infinity"', '"1e999"', '"१"'])
def test_no_amount_can_be_something_else_than_a_number(price: str) -> None:
    row = f'{{"id": 1, "uuid": "a", "name": "n", "userId": "u", "recurringPrice": {price}, "validFrom": "2024-01-01", '
    row += '"validUntil": null, "state": "s", "assignedBy": null, "paymentMethod": null, "billingInterval": "m", '
    page = f'{{"items": [{row}"billingPeriods": 1}}], "nextCursor": null}}'
    reader = own_reader()

    with pytest.raises(MembershipsContractBroken):
        reader.check(reader.read(Answer(page.encode())).rows)
    good = page.replace(price, "29.90")
    reader.check(reader.read(Answer(good.encode())).rows)
