"""Amounts in minor units: the digits are cut where the currency says, and nothing is divided."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from memberships_export.domain.source.columns.currencies import exponents
from memberships_export.domain.source.columns.values import BadValue, values_of
from memberships_export.domain.source.profile import Column

NO_WHOLE_NUMBER = "no whole number of minor units"
NO_CURRENCY = "an amount without a currency"
UNKNOWN_CURRENCY = "an amount in a currency that is no ISO 4217 code: set exponents"


def with_currency(amounts: list[Any], codes: list[Any] | None, **keys: Any) -> list[str | None]:  # noqa: ANN401
    column = Column(name="price", type="minor_units", currency="currency", **keys)
    values_of(column).check(amounts, codes)
    return list(values_of(column).texts(amounts, codes))


def refused(amounts: list[Any], codes: list[Any] | None, **keys: Any) -> tuple[int, str]:  # noqa: ANN401
    column = values_of(Column(name="price", type="minor_units", currency="currency", **keys))
    with pytest.raises(BadValue) as checked:
        column.check(amounts, codes)
    with pytest.raises(BadValue) as caught:
        column.texts(amounts, codes)
    assert str(checked.value) == str(caught.value)
    return caught.value.place, caught.value.what


def with_places(amount: Any, exponent: int) -> str | None:  # noqa: ANN401  (int or str)
    (text,) = values_of(Column(name="price", type="minor_units", exponent=exponent)).texts([amount])
    return text


@pytest.mark.parametrize(
    "amount, code, text",
    [
        (2990, "CHF", "29.90"),
        ("2990", "chf", "29.90"),
        (2990, "Jpy", "2990"),
        (2990, "KWD", "2.990"),
        (2990, "CLF", "0.2990"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        ("-5", "EUR", "-0.05"),
        ("-2990", "EUR", "-29.90"),
        ("-5", "JPY", "-5"),
        (0, "EUR", "0.00"),
        ("-0", "EUR", "0.00"),
        (0, "JPY", "0"),
        ("002990", "EUR", "29.90"),
        (10**29, "EUR", "1" + "0" * 27 + ".00"),
    ],
)
def test_an_amount_has_as_many_decimal_places_as_its_currency(amount: Any, code: str, text: str) -> None:  # noqa: ANN401
    assert with_currency([amount], [code]) == [text]


def test_each_row_has_its_own_currency() -> None:
    assert with_currency([100, "100", 100, 100], ["EUR", "JPY", "BHD", "eur"]) == ["1.00", "100", "0.100", "1.00"]


def test_no_amount_needs_no_currency() -> None:
    assert with_currency([None, UNSET, 5, None], [None, UNSET, "EUR", "no code"]) == [None, None, "0.05", None]
    assert with_currency([None, UNSET], None) == [None, None]


@pytest.mark.parametrize("nothing", [None, UNSET])
def test_an_amount_without_a_currency_is_refused(nothing: object) -> None:
    assert refused([1, None, 2, 3], ["EUR", None, nothing, nothing]) == (2, NO_CURRENCY)
    assert refused([1], None) == (0, NO_CURRENCY)
    assert refused([1], [nothing], exponent=2) == (0, NO_CURRENCY)


@pytest.mark.parametrize("code", ["", "XYZ", "EURO", " EUR", "XXX", "XAU", "\u0131SK", "€", 978, True])
def test_an_unknown_currency_is_refused_and_never_taken_for_two_places(code: object) -> None:
    assert refused([None, 1, 2], [None, "EUR", code]) == (2, UNKNOWN_CURRENCY)


@pytest.mark.parametrize(
    "amount", ["", "29.90", "1e3", "+5", " 5", "5 ", "5\n", "1_000", "\uff15", "--5", "-", 10**30, "x"]
)
def test_what_is_no_whole_number_is_refused(amount: object) -> None:
    assert refused([1, None, amount, amount], ["EUR", None, "EUR", "EUR"]) == (2, NO_WHOLE_NUMBER)


def test_a_profile_may_count_otherwise_than_the_standard() -> None:
    """Stripe sends ISK and UGX with two decimal places and MGA with none: https://docs.stripe.com/currencies."""
    own = {"ISK": 2, "ugx": 2, "MGA": 0, "POINTS": 0}

    assert with_currency([500] * 5, ["isk", "UGX", "mga", "points", "EUR"], exponents=own) == [
        *("5.00", "5.00", "500", "500", "5.00")
    ]
    assert with_currency([500] * 3, ["ISK", "UGX", "MGA"]) == ["500", "500", "5.00"]


def test_without_a_currency_the_exponent_of_the_column_holds_for_all_rows() -> None:
    assert [with_places(2990, exponent) for exponent in (0, 1, 2, 4, 8)] == [
        *("2990", "299.0", "29.90", "0.2990", "0.00002990")
    ]


def test_the_codes_are_those_of_iso_4217() -> None:
    table = exponents()

    assert len(table) == 175
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in table)
    assert sorted(code for code, exponent in table.items() if exponent == 0) == (
        [
            "BIF",
            "BYR",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ]
    )
    assert sorted(code for code, exponent in table.items() if exponent == 3) == [
        "BHD",
        "IQD",
        "JOD",
        "KWD",
        "LYD",
        "OMR",
        "TND",
    ]
    assert sorted(code for code, exponent in table.items() if exponent > 3) == ["CLF", "UYW"]
    assert [table[code] for code in ("CHF", "EUR", "HUF", "MGA", "MRU", "USD", "XCG", "ZWG", "HRK", "BGN")] == [2] * 10


@given(st.lists(st.tuples(st.integers(-(10**29), 10**29), st.sampled_from(sorted(exponents())), st.booleans())))
def test_every_amount_is_the_decimal_number_that_it_stands_for(rows: list[tuple[int, str, bool]]) -> None:
    amounts = [str(amount) if as_text else amount for amount, _, as_text in rows]
    texts = with_currency(amounts, [code for _, code, _ in rows])

    for (amount, code, _), text in zip(rows, texts, strict=True):
        expected = f"{Decimal((amount < 0, tuple(map(int, str(abs(amount)))), -exponents()[code])):f}"
        assert text == expected
