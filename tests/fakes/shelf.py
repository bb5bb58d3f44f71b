"""A memberships API in memory that pages in any way: what it says is for a test to choose."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from memberships_export.domain.errors import NothingThere
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from tests.fakes.awaited import AsksAhead

Row = Mapping[str, Any]
BASE = "https://api.example.org"


class Shelf(AsksAhead):
    """MembershipSource. `rows` may change between calls: `before` says what happens before a call, counted from 1."""

    def __init__(self, rows: Sequence[Row], *, cap: int = 1000) -> None:
        self.rows = list(rows)
        self.calls: list[Call] = []
        self.cap = cap
        self.total: Callable[[], Any] = lambda: len(self.rows)
        self.before: dict[int, Callable[[], object]] = {}

    @property
    def base_url(self) -> str:
        return BASE

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        self.calls.append(call)
        self.before.get(len(self.calls), lambda: None)()
        query = dict(parse_qsl(call.query))
        if query.get("user", "anna").startswith("mx-"):
            raise NothingThere
        answer: Answer = getattr(self, str(profile.profile.paginator.__struct_config__.tag))(query)
        return answer

    def single_page(self, _query: Mapping[str, str]) -> Answer:
        return self._page(self.rows)

    def page_number(self, query: Mapping[str, str]) -> Answer:
        size = min(int(query["size"]), self.cap)
        start = (int(query["page"]) - 1) * size
        return self._page(self.rows[start : start + size], more=start + size < len(self.rows))

    def offset(self, query: Mapping[str, str]) -> Answer:
        start = int(query["offset"])
        end = start + min(int(query["size"]), self.cap)
        return self._page(self.rows[start:end], more=end < len(self.rows))

    def cursor(self, query: Mapping[str, str]) -> Answer:
        return self._linked(query, lambda end: f"at-{end}")

    def json_link(self, query: Mapping[str, str]) -> Answer:
        return self._linked(query, lambda end: self._link(query, end))

    def header_link(self, query: Mapping[str, str]) -> Answer:
        start, end = self._range(query)
        link = f'<{self._link(query, end)}>; rel="next"' if end < len(self.rows) else ""
        return Answer(self._page(self.rows[start:end]).body, {"link": link} if link else {})

    def last_key(self, query: Mapping[str, str]) -> Answer:
        keys = [str(row["id"]) for row in self.rows]
        start = keys.index(query["after"]) + 1 if "after" in query else 0
        end = start + min(int(query["size"]), self.cap)
        return self._page(self.rows[start:end], more=end < len(self.rows))

    def _link(self, query: Mapping[str, str], end: int) -> str:
        return f"{BASE}/list?user={query['user']}&size={query['size']}&at=at-{end}"

    def _linked(self, query: Mapping[str, str], named: Callable[[int], str]) -> Answer:
        start, end = self._range(query)
        return self._page(self.rows[start:end], following=named(end) if end < len(self.rows) else None)

    def _range(self, query: Mapping[str, str]) -> tuple[int, int]:
        start = int(query.get("at", "at-0").removeprefix("at-"))
        return start, start + min(int(query["size"]), self.cap)

    def _page(self, rows: Sequence[Row], *, more: bool = False, following: str | None = None) -> Answer:
        page = {"data": rows, "more": more, "next": following, "total": self.total()}
        return Answer(json.dumps(page).encode(), {"x-total": str(self.total())})


PAGINATORS = {
    "single_page": "",
    "page_number": 'size_param = "size"',
    "offset": 'size_param = "size"',
    "cursor": 'cursor_path = "next"\ncursor_param = "at"\nsize_param = "size"',
    "json_link": 'next_url_path = "next"\nsize_param = "size"',
    "header_link": 'size_param = "size"',
    "last_key": 'param = "after"\nhas_more_path = "more"\nsize_param = "size"',
}


def profile(kind: str, *, paging: str = "", total: str = 'path = "total"', rows: str = 'owner = "user"') -> str:
    """The text of a profile for a shelf that pages in this way."""
    return f"""
version = 1
columns = [{{ name = "id" }}, {{ name = "name" }}]
[request]
path = "/list"
params = {{ user = "{{user.id}}" }}
[auth]
type = "bearer"
token = "env:TOKEN"
[rows]
path = "data"
key = ["id"]
order = "rising"
{rows}
[paginator]
type = "{kind}"
{PAGINATORS[kind]}
{paging}
[total]
{total or 'from = "none"'}
"""


def shelf_rows(count: int) -> list[dict[str, Any]]:
    """Rows with keys that are text."""
    return [{"id": f"m-{number:03d}", "name": f"Plan {number}", "user": "anna"} for number in range(count)]
