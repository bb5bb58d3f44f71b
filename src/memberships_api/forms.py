"""The forms in which a page can be had, chosen by the header `Accept`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from memberships_api.membership import Membership
from memberships_api.repository import Form, Page, PageRequest

MEDIA_TYPES: Final[Mapping[str, Form]] = {
    "application/json": Form.OBJECTS,
    "application/vnd.memberships.arrays+json": Form.ARRAYS,
    "application/x-ndjson": Form.LINES,
}
COLUMNS: Final = Membership.__struct_encode_fields__


def accepted_form(headers: Iterable[str]) -> Form:
    """Return the form that is liked best of those named in `Accept` (RFC 9110 12.5.1); of equals, the first.

    Whoever names none of them, or writes something else, gets objects.
    """
    liked = [(weight, form) for weight, form in _named(headers) if weight > 0]
    return max(liked, key=lambda one: one[0])[1] if liked else Form.OBJECTS


def page_response(page: Page, asked: PageRequest, next_cursor: str | None) -> Response:
    """Write the answer. Beside lines, the next page and the total have no place but in headers."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    media_type = next(name for name, form in MEDIA_TYPES.items() if form is asked.form)
    if asked.form is Form.LINES:
        headers["X-Total-Count"] = str(page.snapshot.total)
        if next_cursor is not None:
            headers["Link"] = f'<?{_query(asked, next_cursor)}>; rel="next"'
    return Response(_body(page, asked.form, next_cursor), media_type=media_type, headers=headers)


def _named(headers: Iterable[str]) -> Iterator[tuple[float, Form]]:
    for part in ",".join(headers).split(","):
        name, *parameters = (text.strip().lower() for text in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        if name in MEDIA_TYPES and _is_weight(weight):
            yield float(weight), MEDIA_TYPES[name]


def _is_weight(text: str) -> bool:
    digits = text.replace(".", "", 1)
    return digits.isascii() and digits.isdigit() and float(text) <= 1


def _query(asked: PageRequest, next_cursor: str) -> str:
    """Return the query of the next page: a link of nothing else is right whatever a proxy put before the path."""
    state = {} if asked.state is None else {"state": asked.state}
    return urlencode({"limit": asked.limit, **state, "cursor": next_cursor})


def _body(page: Page, form: Form, next_cursor: str | None) -> bytes:
    # The rows are JSON already: the page is put together around them.
    if form is Form.LINES:
        return page.items + b"\n" if page.items else b""
    columns = b'"columns":%b,' % msgspec.json.encode(COLUMNS) if form is Form.ARRAYS else b""
    return b'{%b"items":[%b],"nextCursor":%b,"total":%d}' % (
        columns,
        page.items,
        msgspec.json.encode(next_cursor),
        page.snapshot.total,
    )
