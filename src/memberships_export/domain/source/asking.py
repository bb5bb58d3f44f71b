"""What a profile asks: placeholders become the user's id and address, each quoted for where it stands."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from msgspec import Struct

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.chosen_filters import params_for
from memberships_export.domain.source.exchange import Call
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import (
    Cursor,
    HeaderLink,
    JsonLink,
    LastKey,
    Offset,
    PageNumber,
    Profile,
    SinglePage,
)

# An API that sends arrays of its own accord may call them plain JSON, and one that does not know them sends objects.
ACCEPTED = {
    "arrays": "application/vnd.memberships.arrays+json, application/json;q=0.9",
    "ndjson": "application/x-ndjson",
}
_PLACEHOLDER = re.compile(r"\{(user\.id|user\.email|page\.size)\}")
# Characters that no filter language gives a meaning to: only these may stand inside a longer text.
_PLAIN = re.compile(r"[A-Za-z0-9_.@+-]+")
_NAME = re.compile(r"[^/\\]+")  # in a path
_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class User(Struct, frozen=True):
    """Whose memberships are asked for."""

    id: str
    email: str


class Unquotable(MembershipsContractBroken):
    """The user's id or address cannot stand where the profile puts it."""


class Ask(Struct, frozen=True):
    """Asks for the pages of one user by one profile."""

    profile: Profile
    user: User
    size: int  # rows of a page, where the profile does not say
    filters: Mapping[str, str] = {}  # by name, in the words of members

    @property
    def owner(self) -> str:
        """What the owner of each row must be: the id, but the address where only that is asked for."""
        asked = json.dumps([self.profile.request.path, self.profile.request.params, self.profile.request.json])
        return self.user.email if "{user.email}" in asked and "{user.id}" not in asked else self.user.id

    @property
    def rows_a_page(self) -> int:
        """How many rows are asked for."""
        return getattr(self.profile.paginator, "size", None) or self.size

    @property
    def path(self) -> str:
        """The path of every call, quoted. Raises Unquotable."""
        return "/".join(map(self._segment, self.profile.request.path.split("/")))

    def page(self, place: str | None) -> Call:
        """Ask for the page at this place, None: the first. Raises Unquotable, and FilterGone."""
        request, paging = self.profile.request, self._chosen(place) | self._paging(place)
        posts = request.method == "POST"
        return Call(
            user_id=self.user.id,
            method=request.method,
            path=self.path,
            query=self._query(place, {} if posts else paging),
            headers=self._accept()
            | {name: self._header(value, f"the header {name}") for name, value in request.headers.items()},
            body=self._body(paging) if posts else None,
            compression=request.compression,
            first=place is None,
        )

    def _accept(self) -> dict[str, str]:
        """Ask for rows as the profile reads them, unless it has an Accept of its own."""
        own = any(name.lower() == "accept" for name in self.profile.request.headers)
        wanted = ACCEPTED.get(self.profile.rows.encoding)
        return {} if own or wanted is None else {"Accept": wanted}

    def _query(self, place: str | None, paging: Mapping[str, Any]) -> str:
        """Take a link that the API sent as it is; anything else goes beside our own parameters."""
        request = self.profile.request
        if place is not None and isinstance(self.profile.paginator, JsonLink | HeaderLink):
            self._check_whose(place)
            self._check_narrowed(place)
            return place
        left_out = request.first_page_only if place is not None else ()
        params = {name: value for name, value in request.params.items() if name not in left_out}
        return urlencode({name: self._value(value, name) for name, value in params.items()} | dict(paging))

    def _paging(self, place: str | None) -> dict[str, Any]:
        """Return the parameters that ask for a page: its size, and where it is."""
        paginator = self.profile.paginator
        if isinstance(paginator, SinglePage):
            return {}
        size = {paginator.size_param: self.rows_a_page} if paginator.size_param else {}
        match paginator:
            case PageNumber(page_param=name, base_page=base):
                return size | {name: base if place is None else int(place)}
            case Offset(offset_param=name):
                return size | {name: int(place or 0)}
            case Cursor(cursor_param=name) | LastKey(param=name) if place is not None:
                return size | {name: place}
        return size

    def _chosen(self, place: str | None) -> dict[str, str]:
        """Return the parameters that narrow the rows: in each call, unless they may not go beside a place."""
        left_out = self.profile.request.first_page_only if place is not None else ()
        params = params_for(self.profile, self.filters)
        return {name: value for name, value in params.items() if name not in left_out}

    def _check_narrowed(self, link: str) -> None:
        """Follow no link that leaves a filter out: behind it would be rows that nobody asked for, and nobody sees that.

        A link that says all of it in a text of its own is followed where `first_page_only` names the parameter.
        """
        if self.profile.request.method == "POST":  # they are in the body, whatever the link says
            return
        asked = parse_qs(link, keep_blank_values=True)
        for name, value in self._chosen(link).items():
            if asked.get(name) != [value]:
                reason = (
                    f"The memberships API sent a link to the next page without the filter {name}={value} that was "
                    "asked for. If its links hold it in another form, name it in first_page_only of the profile."
                )
                raise MembershipsContractBroken(reason)

    def _check_whose(self, link: str) -> None:
        """Where rows name no owner, only what was asked says whose they are: a link that leaves it out is not followed.

        Some APIs forget their filter in links, and would send the rows of everybody.
        """
        if self.profile.rows.owner is not None:
            return
        asked = parse_qs(link, keep_blank_values=True)
        for name, value in self.profile.request.params.items():
            names_user = isinstance(value, str) and "{user." in value
            if names_user and asked.get(name) != [self._value(value, name)]:
                reason = (
                    f"The memberships API sent a link to the next page without the {name} that was asked for. As its "
                    "rows name no owner, they could be those of others: name rows.owner in the profile."
                )
                raise MembershipsContractBroken(reason)

    def _segment(self, template: str) -> str:
        """Fill a part of a path. A slash, or a name that is one or two dots, would lead elsewhere, quoted or not."""
        allowed = _NAME if _PLACEHOLDER.fullmatch(template) else _PLAIN

        def fill(found: re.Match[str]) -> str:
            value = self._known(found[1])
            if not allowed.fullmatch(value) or not value.isprintable():
                raise self._unquotable(found[1], "the path")
            return quote(value, safe="")

        filled = _PLACEHOLDER.sub(fill, template)
        if filled in {".", ".."}:
            raise self._unquotable("user.id", "the path")
        return quote(filled, safe="%:@!$&'()*+,;=~-._")

    def _header(self, template: str, where: str) -> str:
        """Fill a header, which may be a filter too."""
        return self._text(template, where, _HEADER if _PLACEHOLDER.fullmatch(template) else _PLAIN)

    def _body(self, paging: Mapping[str, Any]) -> bytes:
        body = self._filled(self.profile.request.json or {})
        for path, value in paging.items():
            _put(body, parse_path(path), value)
        return json.dumps(body, ensure_ascii=False).encode()

    def _filled(self, value: Any) -> Any:  # noqa: ANN401  (any JSON)
        if isinstance(value, dict):
            return {name: self._filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        return self.rows_a_page if value == "{page.size}" else self._value(value, "json")

    def _value(self, value: Any, where: str) -> Any:  # noqa: ANN401  (any JSON)
        """Fill a placeholder with any value where it stands alone, beside other text only with a harmless one."""
        if isinstance(value, bool):
            return value if where == "json" else str(value).lower()
        if not isinstance(value, str):
            return value
        alone = _PLACEHOLDER.fullmatch(value)
        return self._known(alone[1]) if alone else self._text(value, where, _PLAIN)

    def _text(self, template: str, where: str, allowed: re.Pattern[str]) -> str:
        def fill(found: re.Match[str]) -> str:
            value = self._known(found[1])
            if not allowed.fullmatch(value):
                raise self._unquotable(found[1], where)
            return value

        return _PLACEHOLDER.sub(fill, template)

    def _known(self, name: str) -> str:
        return {"user.id": self.user.id, "user.email": self.user.email, "page.size": str(self.rows_a_page)}[name]

    def _unquotable(self, name: str, where: str) -> Unquotable:
        what = "id" if name == "user.id" else "address"
        reason = (
            f"The user's {what} has a character that cannot stand in {where} of a request to the memberships API, so "
            "it was not asked."
        )
        return Unquotable(reason)


def _put(body: dict[str, Any], steps: tuple[str | int, ...], value: Any) -> None:  # noqa: ANN401  (any JSON)
    """Put a value where a path leads, through objects that are made on the way; where a number was, as a number."""
    *way, last = map(str, steps)
    for step in way:
        body = body.setdefault(step, {})
    number = type(body.get(last)) is int and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)
    body[last] = int(value) if number else value
