import gzip
import json
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import (
    ForeignRows,
    MembershipsContractBroken,
    MembershipsCutShort,
    RowCountMismatch,
)
from memberships_export.domain.source import page as pages
from memberships_export.domain.source.columns.money import no_amount, written_out
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Page
from tests.factories import REQUESTED_AT
from tests.readers import own_reader

Content = dict[str, Any]


def row(number: int = 1, **changes: object) -> Content:
    return {
        "id": number,
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "name": "Adult",
        "userId": "anna",
        "recurringPrice": "39.90",
        "validFrom": "2024-01-01",
        "validUntil": "2024-12-31",
        "state": "active",
        "assignedBy": "front desk",
        "paymentMethod": "sepa",
        "billingInterval": "monthly",
        "billingPeriods": 12,
    } | changes


def decode_page(sent: bytes) -> Page:
    return own_reader().read(Answer(sent))


def after_page(progress: Progress, read: Page, user_id: str) -> Progress:
    asked = Asked(owner=user_id, size=5000, at=REQUESTED_AT, url="http://127.0.0.1/memberships")
    return pages.after_page(own_reader(), Seen(), progress, msgspec.structs.replace(read, bytes=0), asked).progress


def cells(read: Page) -> dict[str, list[str | None]]:
    """What a file would show, by column."""
    table = own_reader().table(read.rows)
    return {column.name: list(texts) for column, texts in zip(table.columns, table.cells, strict=True)}


def body(*rows: Content, **changes: object) -> bytes:
    return json.dumps({"items": rows, "nextCursor": None, "total": len(rows)} | changes).encode()


def page(*numbers: int, cursor: str | None = None, total: int | None = None) -> Page:
    return decode_page(body(*map(row, numbers), nextCursor=cursor, total=total))


# --- Reading a page ---------------------------------------------------------------------------------------------------


def test_a_page_is_read_field_by_field() -> None:
    read = decode_page(body(row(7), nextCursor="7-9", total=9))
    assert cells(read) == {name: [str(value)] for name, value in row(7).items()}
    assert (read.envelope.next, read.envelope.total) == ("7-9", 9)


def test_a_page_may_leave_out_the_total() -> None:
    read = decode_page(b'{"items": [], "nextCursor": null}')
    assert (read.rows, read.envelope.next, read.envelope.total) == ([], None, msgspec.UNSET)


def test_fields_nobody_knows_yet_are_left_aside() -> None:
    assert cells(decode_page(body(row(color="red"), links={"next": "http://169.254.169.254/"})))["id"] == ["1"]


@pytest.mark.parametrize("field", ["validUntil", "assignedBy", "paymentMethod"])
def test_three_fields_may_be_null(field: str) -> None:
    assert cells(decode_page(body(row() | {field: None})))[field] == [None]


@pytest.mark.parametrize(
    "sent,exact",
    [
        (b'"39.90"', "39.90"),
        (b"39.90", "39.90"),
        (b"0.1", "0.1"),
        (b"1.10", "1.10"),
        (b"39", "39"),
        (b'"-5.00"', "-5.00"),
        (b"12345678901234567890.123456789", "12345678901234567890.123456789"),
        (b'"12345678901234567890.123456789"', "12345678901234567890.123456789"),
        (b"9007199254740993", "9007199254740993"),
    ],
)
def test_money_keeps_every_digit_whether_sent_as_text_or_as_number(sent: bytes, exact: str) -> None:
    read = decode_page(body(row()).replace(b'"39.90"', sent))
    assert cells(read)["recurringPrice"] == [exact]


@given(st.decimals(min_value=-(10**28), max_value=10**28, places=2))
def test_any_amount_survives_as_text_and_as_number(amount: Decimal) -> None:
    for sent in (f'"{amount:f}"', f"{amount:f}"):
        read = decode_page(body(row()).replace(b'"39.90"', sent.encode()))
        assert cells(read)["recurringPrice"] == [f"{amount:f}"]


def test_names_keep_every_character() -> None:
    name = 'Süd, "all in"\r\n=1+1\t🧗 \u202e\u0000'
    assert cells(decode_page(body(row(name=name))))["name"] == [name]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1"},
        {"id": 1.5},
        {"id": None},
        {"id": True},
        {"id": 2**63},
        {"id": -(2**63) - 1},
        {"id": 10**40},
        {"billingPeriods": 2**63},
        {"billingPeriods": 10**4000},
        {"billingPeriods": 12.0},
        {"uuid": 1},
        {"name": None},
        {"name": ["Adult"]},
        {"userId": None},
        {"userId": 7},
        {"validFrom": None},
        {"validFrom": 20240101},
        {"validUntil": 1},
        {"state": None},
        {"assignedBy": {}},
        {"paymentMethod": 0},
        {"billingInterval": None},
        {"billingPeriods": "12"},
        {"billingPeriods": None},
    ],
)
def test_a_field_of_the_wrong_type_breaks_the_contract_and_is_named(changes: Content) -> None:
    (field,) = changes
    with pytest.raises(MembershipsContractBroken, match=rf"\$\.items\[1\]\.{field}`"):
        decode_page(body(row(1), row(2) | changes))


@pytest.mark.parametrize("field", sorted(row()))
def test_a_missing_field_breaks_the_contract_and_is_named(field: str) -> None:
    cut = row()
    del cut[field]
    with pytest.raises(MembershipsContractBroken, match=f"missing required field `{field}`"):
        decode_page(body(cut))


@pytest.mark.parametrize(
    "content",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"items": []}',
        b'{"nextCursor": null}',
        b'{"items": {}, "nextCursor": null}',
        b'{"items": [null], "nextCursor": null}',
        b'{"items": [], "nextCursor": 7}',
        b'{"items": [], "nextCursor": null, "total": "7"}',
        b'{"items": [], "nextCursor": null} trailing',
        b'{"items": [], "nextCursor": "\xff"}',
        b'{"items": [], "nextCursor": null, "total": 7.0}',
        b'{"items": [], "nextCursor": null, "total": -1}',
        b'{"items": [], "nextCursor": null, "total": 9223372036854775808}',
        b'{"items": [], "nextCursor": null, "total": ' + b"9" * 5000 + b"}",
        rb'{"items": [], "nextCursor": "\ud800"}',
        b'{"items": [], "nextCursor": ' + b"[" * 100_000,
        b'{"items": [], "nextCursor": null, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"<html></html>",
    ],
)
def test_what_is_not_a_page_breaks_the_contract(content: bytes) -> None:
    with pytest.raises(MembershipsContractBroken, match="sent a page that breaks its contract"):
        decode_page(content)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n" * 70, b"\n\xef\xbb\xbf \xef\xbb\xbf\r\n", b"\t\v\f"])
@pytest.mark.parametrize("after", [b"", b"\n" * 70, b" " * 100_000, b"\v\f\xef\xbb\xbf"])
def test_byte_order_marks_and_white_space_around_a_page_are_no_part_of_it(before: bytes, after: bytes) -> None:
    assert len(decode_page(before + body(row()) + after).rows) == 1


@pytest.mark.parametrize("style", [{"ensure_ascii": True}, {"ensure_ascii": False}, {"indent": 1}])
def test_a_page_that_is_cut_off_anywhere_is_told_from_one_that_is_wrong(style: dict[str, Any]) -> None:
    odd = row(1, name='Süd 🧗 "x"\\', recurringPrice=-1.5)
    whole = json.dumps({"items": [odd, row(2)], "nextCursor": "é", "x": [0.5, True, None]}, **style)
    sent = whole.encode()
    assert len(decode_page(sent).rows) == 2
    for end in range(len(sent)):
        with pytest.raises(MembershipsCutShort, match=r"^The memberships API sent") as failure:
            decode_page(sent[:end])
        counted = len(sent[:end].strip())
        short = f"a page that ends in its middle, after {counted} bytes" if counted else "an empty answer"
        assert failure.value.reason == f"The memberships API sent {short}."


@pytest.mark.parametrize(
    "sent,words",
    [
        (b"[]", "Expected `object`, got `array`"),
        (
            b"<!DOCTYPE html><html><head><title>Log in\n  first</title></head></html>",
            "it is an HTML page: “Log in first”",
        ),
        (b"<html><title>Log in</title><body>here</body></html>", "it is an HTML page: “Log in”"),
        (b"<html><body><style>x{}</style><h1>502 Bad Gateway</h1></body>", "it is an HTML page: “Bad Gateway”"),
        (b"<html><body>Hello anna@example.org, card 4711</body></html>", "it is an HTML page: “Hello card”"),
        (b"<html><body>\xff Sorry</body></html>", "it is an HTML page: “\ufffd Sorry”"),
        (b"<html></html>", "it is an HTML page"),
        (b'<?xml version="1.0"?><items/>', "it is XML"),
        ('{"items": []}'.encode("utf-16"), "it is in UTF-16 or UTF-32, and JSON is UTF-8"),
        ('{"items": []}'.encode("utf-16-le"), "it is in UTF-16 or UTF-32, and JSON is UTF-8"),
        (gzip.compress(b"{}", mtime=0), "it is compressed (gzip), although it was asked for plain"),
        (b"Service unavailable", "JSON is malformed: invalid character (byte 0)"),
        (b'{"items": [{"id": "x", "name": "\\ud800"}]}', "Expected `int`, got `str` - at `$.items[0].id`"),
        (
            b'{"items": [{"name": "\\ud800"}]}',
            (
                "a row without id holds text that is no Unicode (a byte that is not UTF-8, or half of a surrogate "
                "pair) - at `$.items[0].name`"
            ),
        ),
        (b'{"nextCursor": "\xff"}', "it is not UTF-8"),
    ],
)
def test_what_is_there_instead_of_a_page_is_named(sent: bytes, words: str) -> None:
    with pytest.raises(MembershipsContractBroken) as failure:
        decode_page(sent)
    assert failure.value.reason == f"The memberships API sent a page that breaks its contract: {words}."


@pytest.mark.parametrize("text", ["\\ud800", "x\\udfff", "\\ude00\\ud83d", "\\ud83dx", "\udcff", "a\udc80"])
@pytest.mark.parametrize("field", ["name", "uuid", "state", "assignedBy"])
def test_text_that_is_no_unicode_fails_with_the_row_it_is_in(field: str, text: str) -> None:
    sent = body(row(16, color="\ud800"), row(17, **{field: "HERE"})).replace(
        b"HERE", text.encode(errors="surrogateescape")
    )
    with pytest.raises(MembershipsContractBroken) as failure:
        decode_page(sent)
    assert "row 17 holds text that is no Unicode" in failure.value.reason
    assert f"`$.items[1].{field}`" in failure.value.reason


def test_the_reason_holds_nothing_of_the_rows() -> None:
    with pytest.raises(MembershipsContractBroken) as failure:
        decode_page(body(row(name=["canary@example.org"])))
    assert "canary" not in failure.value.reason


# --- Believing a page -------------------------------------------------------------------------------------------------


def test_pages_add_up() -> None:
    first = after_page(Progress(), page(1, 2, cursor="2-4", total=4), "anna")
    assert first == Progress(pages=1, rows=2, total=4, cursor="2-4", last_key=2)
    second = after_page(first, page(3, 4, total=4), "anna")
    assert second == Progress(pages=2, rows=4, total=4, last_key=4, grade=Grade.COUNTED)


def test_somebody_without_memberships_has_one_empty_page() -> None:
    known = Progress(pages=1, rows=0, total=0, empty_pages=1, grade=Grade.COUNTED)
    assert after_page(Progress(), page(total=0), "anna") == known


def test_an_empty_last_page_keeps_what_is_known() -> None:
    before = Progress(pages=3, rows=30, total=30, cursor="30-30", last_key=30)
    after = Progress(pages=4, rows=30, total=30, last_key=30, empty_pages=1, grade=Grade.COUNTED)
    assert after_page(before, page(total=30), "anna") == after


def test_an_empty_cursor_means_there_is_no_other_page() -> None:
    assert after_page(Progress(), page(1, cursor=""), "anna").cursor is None
    assert after_page(Progress(), page(cursor=""), "anna").cursor is None


def test_the_first_total_that_was_announced_counts() -> None:
    first = after_page(Progress(), page(1, cursor="a", total=3), "anna")
    assert after_page(first, page(2, cursor="b", total=5), "anna").total == 3
    assert after_page(first, page(2, cursor="b"), "anna").total == 3


@pytest.mark.parametrize("total", [0, 1])
def test_the_first_row_beyond_the_announced_total_is_refused(total: int) -> None:
    with pytest.raises(RowCountMismatch, match=f"announced {total} memberships and sent 2"):
        after_page(Progress(), page(1, 2, cursor="2-4", total=total), "anna")


@pytest.mark.parametrize("total", [3, 5])
def test_a_last_page_that_misses_the_announced_total_is_refused(total: int) -> None:
    first = after_page(Progress(), page(1, 2, cursor="2-4", total=total), "anna")
    with pytest.raises(RowCountMismatch, match=f"announced {total} memberships and sent 4"):
        after_page(first, page(3, 4, total=4), "anna")


def test_a_total_is_not_compared_before_the_last_page() -> None:
    assert after_page(Progress(), page(1, cursor="1-9", total=9), "anna").rows == 1


def test_gaps_between_ids_are_normal() -> None:
    assert after_page(Progress(last_key=5), page(7, 1000), "anna").last_key == 1000


def test_ids_may_begin_anywhere() -> None:
    assert after_page(Progress(), page(-3, 0, 5), "anna").last_key == 5


@pytest.mark.parametrize("owner", ["ben", "Anna", "anna ", "", "ann"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_row_of_another_user_spoils_the_page(owner: str, place: int) -> None:
    rows = [row(number, userId=owner if number == place else "anna") for number in range(3)]
    with pytest.raises(ForeignRows, match="nothing of it was kept or mailed") as failure:
        after_page(Progress(), decode_page(body(*rows)), "anna")
    assert "ben" not in failure.value.reason


def test_foreign_rows_count_before_any_other_fault() -> None:
    with pytest.raises(ForeignRows):
        after_page(Progress(last_key=9), decode_page(body(row(1), row(1, userId="ben"), nextCursor="x")), "anna")


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1), (1, 2, 2), (1, 3, 2)])
def test_ids_that_do_not_rise_within_a_page_break_the_contract(numbers: tuple[int, ...]) -> None:
    with pytest.raises(MembershipsContractBroken, match="id must rise"):
        after_page(Progress(), page(*numbers), "anna")


@pytest.mark.parametrize("numbers", [(5,), (4, 6), (1, 2)])
def test_a_page_that_does_not_go_on_after_the_last_one_breaks_the_contract(numbers: tuple[int, ...]) -> None:
    before = Progress(pages=1, rows=5, cursor="5-9", last_key=5)
    with pytest.raises(MembershipsContractBroken, match=f"row {numbers[0]} after row 5"):
        after_page(before, page(*numbers, cursor="x"), "anna")


WIDE_12_5, WIDE_1 = "\uff11\uff12.\uff15", "\uff11"
NO_AMOUNTS = [
    "NaN", "sNaN", "-nan", "Infinity", "-Infinity", "inf", "1E+31", "1E-31", "-1E+999999", "1e400", "1e9999999999999",
    WIDE_12_5, "\u0663", "\u0967", " 1", "1 ", "1_0.5", " 1_0.5 ", "1,50", "+5", ".5", "5.", "-.5", "--5", "-", "",
    "0x10", "1e", "1e+", "a lot", "1\n", "1\n2", "\u00a05", "\u22125", "9" * 32, "1." + "0" * 200, "39.90 EUR",
]  # fmt: skip


@pytest.mark.parametrize("amount", [*NO_AMOUNTS, None, True, [1], [1, 2], {"amount": "1"}, {}, 10**31])
def test_a_price_that_is_no_amount_breaks_the_contract(amount: object) -> None:
    sent = decode_page(body(row(1), row(2, recurringPrice=amount), row(3)))
    with pytest.raises(MembershipsContractBroken, match="row 2 with a recurringPrice that is ") as failure:
        after_page(Progress(), sent, "anna")
    assert "`$.items[1].recurringPrice`" in failure.value.reason


@pytest.mark.parametrize("sent", [b"NaN", b"Infinity", b"+5", b".5", b"5.", b"0x1", b"01", b"1_0", b"- 5"])
def test_a_number_that_is_none_in_json_breaks_the_contract(sent: bytes) -> None:
    with pytest.raises(MembershipsContractBroken, match="JSON is malformed"):
        decode_page(body(row()).replace(b'"39.90"', sent))


@pytest.mark.parametrize(
    "amount",
    ["0", "-0.00", "0.01", "-5", "1E+3", "1e3", "1.5E-3", "007.50", "9" * 30, "0." + "0" * 28 + "1", "1." + "0" * 99],
)
def test_any_amount_of_money_is_believed(amount: str) -> None:
    assert after_page(Progress(), decode_page(body(row(recurringPrice=amount))), "anna").rows == 1


@pytest.mark.parametrize(
    "sent,written",
    [(b'"\\u0031\\u002e5"', "1.5"), (b"1e3", "1000"), (b'"1.50E+1"', "15.0"), (b'"007.50"', "007.50"), (b"-0", "-0")],
)
def test_an_amount_is_written_out_beside_plain_ones(sent: bytes, written: str) -> None:
    read = decode_page(body(row(1), row(2)).replace(b'"39.90"', sent, 1))
    assert after_page(Progress(), read, "anna").rows == 2
    assert cells(read)["recurringPrice"] == [written, "39.90"]


@given(st.text(st.sampled_from(f"0123456789.-+eE_ \n{WIDE_1}\u0663\u00a0"), max_size=12))
def test_an_amount_is_what_json_takes_for_a_number_or_that_with_zeros_in_front(text: str) -> None:
    sent = decode_page(body(row(recurringPrice=text)))
    bare = re.sub(r"^(-?)0+(?=[0-9])", r"\1", text)
    try:
        number = json.loads(bare, parse_float=Decimal) if bare and bare.strip() == bare else None
    except ValueError:
        number = None
    if number is None or abs(Decimal(bare).adjusted()) > 30:
        with pytest.raises(MembershipsContractBroken):
            after_page(Progress(), sent, "anna")
    else:
        after_page(Progress(), sent, "anna")
        (written,) = cells(sent)["recurringPrice"]
        assert Decimal(written or "") == Decimal(bare)


@pytest.mark.parametrize("cursor", ["x" * 2049, "é" * 1025, "🧗" * 513])
def test_a_cursor_of_more_than_2_kib_breaks_the_contract(cursor: str) -> None:
    with pytest.raises(MembershipsContractBroken, match=r"page 1 with a nextCursor of \d+ bytes, and at most 2048"):
        after_page(Progress(), page(1, cursor=cursor), "anna")


@pytest.mark.parametrize("cursor", ["x" * 2048, "é" * 1024, " &=#%/?\n"])
def test_any_shorter_cursor_is_kept_as_it_is(cursor: str) -> None:
    assert after_page(Progress(), page(1, cursor=cursor), "anna").cursor == cursor


def test_an_empty_page_that_announces_another_one_breaks_the_contract() -> None:
    with pytest.raises(MembershipsContractBroken, match="an empty page, page 3, with a cursor"):
        after_page(Progress(pages=2, rows=2, last_key=2), page(cursor="2-4"), "anna")


@given(st.lists(st.lists(st.integers(-5, 40), max_size=5), min_size=1, max_size=40))
def test_believed_pages_never_hold_a_row_twice_and_never_go_in_circles(pages: list[list[int]]) -> None:
    progress, kept = Progress(), list[int]()
    for numbers in pages:
        try:
            progress = after_page(progress, page(*numbers, cursor="more"), "anna")
        except MembershipsContractBroken:
            break
        kept += numbers
    assert kept == sorted(set(kept))
    assert progress.rows == len(kept)
    assert progress.pages <= len(kept)


@pytest.mark.parametrize(
    "price, place",
    [
        (b'"' + b"0" * 200 + b'"', None),
        (b'"' + b"0" * 201 + b'"', 0),
        (b"1e30", None),
        (b"1e31", 0),
        (b"1e-30", None),
        (b"1e-31", 0),
        (b'"\xff"', 0),
    ],
)
def test_an_amount_has_a_longest_text_and_a_largest_exponent(price: bytes, place: int | None) -> None:
    assert no_amount([msgspec.Raw(price)]) == place


@pytest.mark.parametrize(
    "prices, written",
    [
        ([b"1.50", b'"2.0"'], ["1.50", "2.0"]),
        ([b'"007"', b"1e2"], ["007", "100"]),
        ([b'"\\u0031.5"', b'"00"'], ["1.5", "00"]),
    ],
)
def test_amounts_keep_their_digits_whatever_is_beside_them(prices: list[bytes], written: list[str]) -> None:
    assert written_out([msgspec.Raw(price) for price in prices]) == written
