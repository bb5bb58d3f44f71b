"""What a membership row is on the wire, and what a page of rows must be to be believed."""

from decimal import Decimal

import msgspec

from memberships_export.domain.errors import ForeignRows, MembershipsContractBroken, RowCountMismatch
from memberships_export.domain.source.progress import Progress

_MOST_DIGITS = 30  # before the decimal point, or zeros after it


class Membership(msgspec.Struct, rename="camel", gc=False):
    """One row of `GET /memberships`. Dates are ISO 8601 text; money is a decimal, sent as a string or a number."""

    id: int
    uuid: str
    name: str
    user_id: str
    recurring_price: Decimal
    valid_from: str
    valid_until: str | None
    state: str
    assigned_by: str | None
    payment_method: str | None
    billing_interval: str
    billing_periods: int


class Page(msgspec.Struct, rename="camel"):
    """One answer of `GET /memberships`. `next_cursor` None: the last page."""

    items: list[Membership]
    next_cursor: str | None
    total: int | None = None


def decode_page(body: bytes) -> Page:
    """Read a page as received. Raises MembershipsContractBroken when it is not one."""
    try:
        return msgspec.json.decode(body, type=Page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"The memberships API sent a page that breaks its contract: {error}."
        raise MembershipsContractBroken(reason) from error


def after_page(progress: Progress, page: Page, user_id: str) -> Progress:
    """Add a page to the progress, if it can be believed.

    Raises ForeignRows for a row of another user, and MembershipsContractBroken when ids do not rise from page to page
    (duplicate rows or a cursor that loops), a price is no amount, or an empty page announces another one, and
    RowCountMismatch when the last page does not bring the rows to the total that the first one announced.
    """
    if any(row.user_id != user_id for row in page.items):
        reason = "The memberships API sent memberships of another user; nothing of it was kept or mailed."
        raise ForeignRows(reason)
    last_id = progress.last_id
    for row in page.items:
        if last_id is not None and row.id <= last_id:
            reason = f"The memberships API sent row {row.id} after row {last_id}: ids must rise, also across pages."
            raise MembershipsContractBroken(reason)
        last_id = row.id
        if not _is_amount(row.recurring_price):
            reason = f"The memberships API sent row {row.id} with a recurringPrice that is no amount of money."
            raise MembershipsContractBroken(reason)
    if not page.items and page.next_cursor:
        reason = f"The memberships API sent an empty page {progress.pages + 1} with a cursor to another one."
        raise MembershipsContractBroken(reason)
    total = page.total if progress.total is None else progress.total
    rows = progress.rows + len(page.items)
    if not page.next_cursor and total is not None and rows != total:
        reason = f"The memberships API announced {total} memberships and sent {rows}: ask for a new export."
        raise RowCountMismatch(reason)
    return Progress(pages=progress.pages + 1, rows=rows, total=total, cursor=page.next_cursor or None, last_id=last_id)


def _is_amount(price: Decimal) -> bool:
    """Refuse NaN and infinity, and exponents that would fill a file with zeros when written out."""
    return price.is_finite() and abs(price.adjusted()) <= _MOST_DIGITS
