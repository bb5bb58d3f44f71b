"""Our own contract, read and written by a fixed row, as it was before there were profiles: kept to compare with.

Whether a text is a formula or an amount is looked at by the same code as ever, so that only the profile makes a
difference. It changes only when the file itself does.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from memberships_export.domain.formats.guard import guarded
from memberships_export.domain.source.columns.money import no_amount, written_out


class _Row(msgspec.Struct, rename="camel", gc=False):
    id: int
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
    billing_periods: int


class _Page(msgspec.Struct, rename="camel"):
    items: list[_Row]
    next_cursor: str | None
    total: int | None = None


_NUMBERS = frozenset({"id", "billing_periods"})


def fetched(body: bytes, user_id: str) -> tuple[int, str | None]:
    """Read and check a first page of rows; return how many it has, and where the next page is."""
    page = _read(body)
    if any(row.user_id != user_id for row in page.items):
        raise ValueError("rows of another user")
    last_id = None
    for row in page.items:
        if last_id is not None and row.id <= last_id:
            raise ValueError("ids must rise")
        last_id = row.id
    if no_amount([row.recurring_price for row in page.items]) is not None:
        raise ValueError("no amount")
    if page.total is not None and len(page.items) > page.total:
        raise ValueError("more rows than announced")
    return len(page.items), page.next_cursor


def rendered(body: bytes) -> bytes:
    """Return the lines of a page in a file for spreadsheets."""
    rows = _read(body).items
    columns = [_cells(name, rows) for name in _Row.__struct_fields__]
    lines = '"\r\n"'.join(map('","'.join, zip(*columns, strict=True)))
    return f'"{lines}"\r\n'.encode()


def _read(body: bytes) -> _Page:
    return msgspec.json.decode(body, type=_Page)


def _cells(name: str, rows: Sequence[_Row]) -> list[str]:
    values = map(attrgetter(name), rows)
    if name == "recurring_price":
        return written_out(values)
    cells = ["" if value is None else str(value) for value in values]
    if name in _NUMBERS:
        return cells
    cells = list(guarded(cells))
    return [cell.replace('"', '""') for cell in cells] if '"' in "".join(cells) else cells
