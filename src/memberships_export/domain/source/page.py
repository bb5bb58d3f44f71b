"""What a membership row is on the wire, and what a page of rows must be to be believed."""

import re
from dataclasses import replace
from typing import Annotated

import msgspec

from memberships_export.domain.errors import (
    ForeignRows,
    MembershipsContractBroken,
    MembershipsCutShort,
    RowCountMismatch,
)
from memberships_export.domain.source.diagnosis import is_json, what_is_there
from memberships_export.domain.source.money import no_amount
from memberships_export.domain.source.progress import Progress

LONGEST_CURSOR = 2048  # bytes in UTF-8: it is kept on the record, and travels in a URL
_AROUND = b"\xef\xbb\xbf \t\r\n\v\f"  # byte order marks and white space
_BROKE_AT = re.compile(r"\(byte (\d+)\)")
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Membership(msgspec.Struct, rename="camel", gc=False):
    """One row of `GET /memberships`. Dates are ISO 8601 text.

    Money is the JSON that was sent, a string or a number, for `money` to read.
    """

    id: _Int64
    uuid: str
    name: str
    user_id: str
    recurring_price: msgspec.Raw
    valid_from: str
    valid_until: str | None
    state: str
    assigned_by: str | None
    payment_method: str | None
    billing_interval: str
    billing_periods: _Int64


class Page(msgspec.Struct, rename="camel"):
    """One answer of `GET /memberships`. `next_cursor` None: the last page."""

    items: list[Membership]
    next_cursor: str | None
    total: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


def decode_page(body: bytes) -> Page:
    """Read a page as received; byte order marks and white space around it are no part of it.

    Raises MembershipsContractBroken when it is not one, MembershipsCutShort when it only ends too early.
    """
    page = body.strip(_AROUND)
    try:
        return msgspec.json.decode(page, type=Page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _ends_too_early(page, error):
            raise MembershipsCutShort(f"The memberships API sent {_how_short(page)}.") from error
        reason = f"The memberships API sent a page that breaks its contract: {_named(page, error)}."
        raise MembershipsContractBroken(reason) from error


def after_page(progress: Progress, page: Page, user_id: str, size: int = 0) -> Progress:
    """Add a page of `size` bytes to the progress, if it can be believed.

    Raises ForeignRows for a row of another user, RowCountMismatch when there are more rows than the first page
    announced, or fewer once the last page is in, and MembershipsContractBroken for whatever else is wrong.
    """
    if any(row.user_id != user_id for row in page.items):
        reason = "The memberships API sent memberships of another user; nothing of it was kept or mailed."
        raise ForeignRows(reason)
    last_id = _check_ids(page, progress.last_id)
    _check_prices(page)
    _check_cursor(page, progress.pages + 1)
    total = page.total if progress.total is None else progress.total
    rows = progress.rows + len(page.items)
    if total is not None and (rows > total or (rows < total and not page.next_cursor)):
        reason = f"The memberships API announced {total} memberships and sent {rows}: ask for a new export."
        raise RowCountMismatch(reason)
    return replace(
        progress,
        pages=progress.pages + 1,
        bytes=progress.bytes + size,
        rows=rows,
        total=total,
        cursor=page.next_cursor or None,
        last_id=last_id,
    )


def _check_ids(page: Page, last_id: int | None) -> int | None:
    """Return the last id. Ids must rise, also across pages: no row comes twice, and no cursor goes in circles."""
    for row in page.items:
        if last_id is not None and row.id <= last_id:
            reason = f"The memberships API sent row {row.id} after row {last_id}: ids must rise, also across pages."
            raise MembershipsContractBroken(reason)
        last_id = row.id
    return last_id


def _check_prices(page: Page) -> None:
    place = no_amount([row.recurring_price for row in page.items])
    if place is not None:
        reason = (
            f"The memberships API sent row {page.items[place].id} with a recurringPrice that is no amount of money "
            f'such as 29.90 or "29.90" - at `$.items[{place}].recurringPrice`.'
        )
        raise MembershipsContractBroken(reason)


def _check_cursor(page: Page, number: int) -> None:
    if not page.next_cursor:
        return
    if not page.items:
        reason = f"The memberships API sent an empty page {number} with a cursor to another one."
        raise MembershipsContractBroken(reason)
    if (size := len(page.next_cursor.encode())) > LONGEST_CURSOR:
        reason = (
            f"The memberships API sent page {number} with a nextCursor of {size} bytes, and at most {LONGEST_CURSOR} "
            "are taken."
        )
        raise MembershipsContractBroken(reason)


def _ends_too_early(page: bytes, error: Exception) -> bool:
    """Tell a page that breaks off from one that is wrong: nothing is wrong with it before its end."""
    if not isinstance(error, msgspec.DecodeError) or isinstance(error, msgspec.ValidationError):
        return False
    where = _BROKE_AT.search(str(error))
    if where and int(where[1]) < len(page):
        return False
    return not is_json(page)  # half of a surrogate pair just before the end looks cut off to the decoder


def _named(page: bytes, error: Exception) -> str:
    return what_is_there(page, error, Membership.__struct_encode_fields__)


def _how_short(page: bytes) -> str:
    return f"a page that ends in its middle, after {len(page)} bytes" if page else "an empty answer"
