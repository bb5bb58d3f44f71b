"""Where a walk goes after a page: one rule for each way of paging. Places are text, so that a record can keep them."""

from msgspec import UNSET, Struct

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.envelope import Envelope
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import (
    ApiKey,
    Cursor,
    HeaderLink,
    JsonLink,
    LastKey,
    Offset,
    PageNumber,
    Profile,
    SinglePage,
)
from memberships_export.domain.source.reader import Key
from memberships_export.domain.source.web_links import query_of, without


class Onward(Struct, frozen=True):
    """There is another page: at this place, which the API calls by this name."""

    place: str
    name: str


class End(Struct, frozen=True):
    """That was the last page. `grade` says how sure that is."""

    grade: Grade


class Arrived(Struct, frozen=True, kw_only=True):
    """A page that was received, as far as it matters for the way on."""

    place: str | None  # where it was; None: the first
    envelope: Envelope
    received: int  # rows of this page
    rows: int  # of the walk, with this page
    pages: int  # of the walk, with this page
    asked: int  # rows of one page, at most
    last_key: Key | None
    total: int | None  # that an earlier page announced, where this one says nothing
    url: str  # that was asked, without its query


def next_place(profile: Profile, page: Arrived) -> Onward | End:
    """Decide where the walk goes on. Raises MembershipsContractBroken when the page does not say what it must."""
    match profile.paginator:
        case SinglePage():
            return End(Grade.ENDED)
        case Cursor() | JsonLink() | HeaderLink():
            return _named_next(profile, page)
        case PageNumber(base_page=base):
            number = base if page.place is None else int(page.place)
            return _counted(profile, page, Onward(str(number + 1), "page"), pages=number - base + 1)
        case Offset():
            # One row back: when it does not come again, rows have moved. Pages of one row would bring nothing else.
            back = 1 if page.rows > page.pages else 0
            return _counted(profile, page, Onward(str(page.rows - back), "offset"), pages=None)
        case LastKey():
            return _counted(profile, page, Onward(_key(page), "last key"), pages=None)


def _named_next(profile: Profile, page: Arrived) -> Onward | End:
    """Believe `has_more` before the name of a next page: the last page of some APIs names itself."""
    following, more = page.envelope.next, page.envelope.has_more
    if more is False or (more is None and not following):
        return End(Grade.ENDED)
    if not following:
        reason = "The memberships API sent a page that says there is another one, and does not name it."
        raise MembershipsContractBroken(reason)
    if isinstance(profile.paginator, Cursor):
        return Onward(following, profile.paginator.cursor_path)
    query, auth = query_of(following, page.url), profile.auth
    # Some APIs repeat what they were asked for: a key goes along with each call, and is kept nowhere.
    return Onward(without(query, auth.name) if isinstance(auth, ApiKey) else query, "link")


def _key(page: Arrived) -> str:
    """Return the last key as text; empty without one."""
    return "" if page.last_key is None else str(page.last_key)


def _counted(profile: Profile, page: Arrived, onward: Onward, pages: int | None) -> Onward | End:
    """Go on after a short page, as many APIs cap the size; an empty one is the end, for want of a better."""
    more, reached = page.envelope.has_more, _total_reached(profile, page, pages)
    if more is False or (more is None and reached):
        return End(Grade.ENDED)
    short = getattr(profile.paginator, "short_page_is_last", False) and page.received < page.asked
    if more is None and reached is None and (page.received == 0 or short):
        return End(Grade.GUESSED)
    if not onward.place:
        reason = (
            "The memberships API sent no rows and says that there are more: without a key they cannot be asked for."
        )
        raise MembershipsContractBroken(reason)
    return onward


def _total_reached(profile: Profile, page: Arrived, pages: int | None) -> bool | None:
    """Tell whether an exact total is reached; None where nothing was announced."""
    total = page.total if page.envelope.total is UNSET else page.envelope.total
    if profile.total is None or not profile.total.exact or not isinstance(total, int):
        return None
    if profile.total.unit == "pages":
        return None if pages is None else pages >= total
    return True if page.rows >= total else None if page.received == 0 else False
