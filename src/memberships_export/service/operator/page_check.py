"""What a check makes of the pages that came: everything that still can be looked at is."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import gt, lt
from typing import Any
from urllib.parse import urlsplit

from msgspec import Raw

from memberships_export.domain.errors import ExportError, ForeignRows, RowCountMismatch
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked, after_page
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Cursor, HeaderLink, JsonLink, Offset, Profile
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Key, Page, Reader, reader_of
from memberships_export.domain.source.row_types import Use
from memberships_export.domain.source.row_uses import Read
from memberships_export.domain.source.survey.mismatch import mismatches
from memberships_export.domain.source.survey.page_survey import PageSurvey, in_order, survey, without_columns
from memberships_export.domain.source.survey.paging_signs import Around, beside, undeclared
from memberships_export.service.operator.api_report import KeyFacts, NextFacts, OwnerFacts, Report, TotalFacts

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # nothing that is checked depends on when a page came


@dataclass(slots=True)
class Looked:
    """A page that could be read, by what of the profile fits it. `progress`: None when it is not believed."""

    reader: Reader
    page: Page
    keys: Sequence[Key]
    seen: Seen
    asked: Asked
    progress: Progress | None = None


def check_first_page(reader: Reader, ask: Ask, base_url: str, answer: Answer, report: Report) -> Looked | None:
    """Look at page 1: None when there are no rows to look at."""
    found = _surveyed(reader.profile, answer, report)
    report.columns, report.unused = found.columns, found.unused
    asked = Asked(owner=ask.owner, size=ask.rows_a_page, at=_NO_TIME, url=base_url + ask.path)
    looked = _read(_fitting(reader, found), answer, asked, found, report)
    if looked is None:
        return None
    report.next, report.total = _next(ask.profile, looked.page), _total(ask.profile, looked.page)
    if _keys_and_owners(looked, report):
        _believe(looked, Progress(), report)
    _ways_on(ask, answer, looked, found, report)
    return looked


def check_second_page(first: Looked, ask: Ask, answer: Answer, report: Report) -> None:
    """Look at page 2, where page 1 said it is."""
    assert first.progress  # noqa: S101  (page 2 is asked for because page 1 is believed)
    found = _surveyed(ask.profile, answer, report)
    looked = _read(_fitting(first.reader, found), answer, first.asked, found, report)
    if looked is None:
        return
    looked.seen = first.seen
    again = looked.keys[1:] if isinstance(ask.profile.paginator, Offset) else looked.keys
    report.repeated = len(set(first.keys).intersection(again))
    if report.repeated:
        report.add(
            "page 2",
            f"{report.repeated} of {len(first.keys)} keys of page 1 came again: ask for an order by something that is "
            "unique and never changes, and compare the parameter that asks for the next page.",
        )
    elif not _breaks_order(ask.profile, [*first.keys, *again], report):
        _believe(looked, first.progress, report)


def _surveyed(profile: Profile, answer: Answer, report: Report) -> PageSurvey:
    """Look at the page without types, and note what does not fit: of page 2 only what is new."""
    found, facts = survey(profile, answer.body), report.pages[-1]
    for one in found.mismatches:
        report.add(one.about, one.text, one.what)
    report.pages[-1] = replace(facts, rows=len(found.rows.json) if found.rows else None)
    return found


def _fitting(reader: Reader, found: PageSurvey) -> Reader:
    """Leave out the columns that do not fit, so that the rest can be looked at."""
    wrong = [column.name for column in found.columns if column.mismatches]
    return reader_of(without_columns(reader.known, wrong)) if wrong else reader


def _read(reader: Reader, answer: Answer, asked: Asked, found: PageSurvey, report: Report) -> Looked | None:
    try:
        page = reader.read(answer)
    except ExportError as error:
        if not found.mismatches:
            report.add(f"page {len(report.pages)}", error.reason)
        return None
    return Looked(reader, page, reader.keys(page.rows), Seen(), asked)


def _next(profile: Profile, page: Page) -> NextFacts | None:
    match profile.paginator:
        case Cursor(cursor_path=path):
            return NextFacts(path, page.envelope.next is not None)
        case JsonLink(next_url_path=name) | HeaderLink(rel=name):
            name = f"Link rel={name}" if isinstance(profile.paginator, HeaderLink) else name
            return NextFacts(name, page.envelope.next is not None, _origin(page.envelope.next or ""))
    return None


def _origin(link: str) -> str | None:
    with suppress(ValueError):
        url = urlsplit(link)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.hostname else None
    return None


def _total(profile: Profile, page: Page) -> TotalFacts | None:
    told = profile.total
    if told is None or (told.path is None and told.header is None):
        return None
    value = page.envelope.total if isinstance(page.envelope.total, int) else None
    place = f"header {told.header}" if told.header else f"path {told.path}"
    return TotalFacts(place, value, told.unit, told.exact)


def _keys_and_owners(looked: Looked, report: Report) -> bool:
    """Note them, and whether they are right. False when they are not."""
    rows, keys = looked.reader.profile.rows, looked.keys
    distinct = len(set(keys))
    report.key = KeyFacts(rows.key, distinct, len(keys), in_order(keys))
    right = not _breaks_order(looked.reader.profile, keys, report)
    if distinct < len(keys):
        report.add(
            "key", f"{distinct} of {len(keys)} keys are distinct: {', '.join(rows.key)} must tell all rows apart."
        )
        right = False
    if rows.owner is None:
        return right
    own = sum(str(owner) == looked.asked.owner for owner in looked.reader.owners(looked.page.rows))
    report.owner = OwnerFacts(rows.owner, own, len(keys))
    if own < len(keys):
        report.add(
            "owner", f"{len(keys) - own} of {len(keys)} rows have another owner at {rows.owner}. An export would fail."
        )
    return right and own == len(keys)


def _breaks_order(profile: Profile, keys: Sequence[Any], report: Report) -> bool:
    """Tell whether whole numbers go another way than the profile says; others have no order that counts."""
    order = profile.rows.order
    if order == "none" or not {int}.issuperset(map(type, keys)) or len(set(keys)) < len(keys):
        return False
    if all(map(lt if order == "rising" else gt, keys, keys[1:])):
        return False
    report.add(
        "key", f"The keys are not {order}, as rows.order says, also across pages: ask for that order, or say none."
    )
    return True


def _believe(looked: Looked, progress: Progress, report: Report) -> None:
    try:
        looked.progress = after_page(looked.reader, looked.seen, progress, looked.page, looked.asked).progress
    except RowCountMismatch as error:
        report.add("page 2" if progress.pages else "total", error.reason)
    except ExportError as error:
        report.add("owner" if isinstance(error, ForeignRows) else f"page {len(report.pages)}", error.reason)


def _ways_on(ask: Ask, answer: Answer, looked: Looked, found: PageSurvey, report: Report) -> None:
    """Compare what the profile finds behind page 1 with what the page says of it."""
    assert found.page  # noqa: S101  (it was read)
    goes_on = looked.progress is None or looked.progress.cursor is not None
    rows = len(looked.page.rows)
    ends_early = any(problem.about == "total" for problem in report.problems)
    if not goes_on or ends_early:
        for text in _no_next(ask.profile, found.page, answer, full=rows >= ask.rows_a_page or ends_early):
            report.add("next", text)
    around = Around(found.page, answer.headers, rows, goes_on and not ends_early)
    for sign in undeclared(ask.profile, around):
        report.add(sign.about, f"{sign.where} {sign.what}.")
    for place in beside(ask.profile, around):
        kind = ask.profile.paginator.__struct_config__.tag
        report.notes.append(f"Page 1 names another page at {place}; the profile goes on by {kind} instead.")
    size = getattr(ask.profile.paginator, "size_param", None)
    if size and goes_on and looked.progress and 0 < rows < ask.rows_a_page:
        report.cap = rows


def _no_next(profile: Profile, page: Raw, answer: Answer, *, full: bool) -> Iterator[str]:
    """Say when the name of the next page is not there at all, and a full page hints that there is one."""
    if not full or getattr(profile.paginator, "has_more_path", None) is not None:
        return
    what = "and the page is as full as can be: either the user has just so many rows, or the path is wrong"
    match profile.paginator:
        case Cursor(cursor_path=path) | JsonLink(next_url_path=path):
            absent = Read("next", "the next page", Use(path, parse_path(path), Raw, null=True, missing=False))
            yield from (f"{one.text}, {what}." for one in mismatches(absent, [page], ["$"]))
        case HeaderLink() if "link" not in answer.headers:
            yield f"there is no header Link, {what}."
