"""What a filter does: page 1 with it beside page 1 without it. Only what both pages and their totals show is proved."""

from collections.abc import Sequence
from dataclasses import dataclass

from memberships_export.domain.errors import ExportError
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked, after_page
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Key, Page, Reader
from memberships_export.ports import MembershipSource
from memberships_export.service.operator.api_report import FilterFacts, Report
from memberships_export.service.operator.page_check import Looked

_FEWER = "fewer: it works, as far as this user shows"
_OTHER = "page 1 is another one: the filter does something; --show-values shows whether it is the right thing"
_SAME = "the same: all of them pass the filter, or the API ignores it. Choose a user who has others too"
_UNKNOWN = "what comes without the filter could not be read: nothing is proved"


@dataclass(frozen=True, slots=True)
class _Side:
    """Page 1. `whole`: there are no more rows; `total`: what the API says for sure, None where it does not."""

    keys: Sequence[Key]
    whole: bool
    total: int | None


def check_filter(source: MembershipSource, first: Looked, ask: Ask, report: Report) -> None:
    """Ask for page 1 without the filters, and compare it with the one that came with them."""
    chosen = ", ".join(f"{name}:{value}" for name, value in ask.filters.items())
    narrowed = _side(first.reader, first.page, first.asked, known=first.progress)
    everything = _without(source, first, ask)
    if everything is None:
        report.filter = FilterFacts(chosen, len(narrowed.keys), None, narrowed.total, None, _UNKNOWN)
        return
    words = _judged(narrowed, everything, report)
    report.filter = FilterFacts(
        chosen, len(narrowed.keys), len(everything.keys), narrowed.total, everything.total, words
    )


def _without(source: MembershipSource, first: Looked, ask: Ask) -> _Side | None:
    try:
        answer = source.fetch(Ask(ask.profile, ask.user, ask.size).page(None), first.reader.known)
        return _side(first.reader, first.reader.read(answer), first.asked)
    except ExportError:
        return None


def _side(reader: Reader, page: Page, asked: Asked, known: Progress | None = None) -> _Side:
    exact = reader.profile.total is not None and reader.profile.total.exact and reader.profile.total.unit == "items"
    total = page.envelope.total if exact and isinstance(page.envelope.total, int) else None
    return _Side(reader.keys(page.rows), _is_whole(reader, page, asked, known), total)


def _is_whole(reader: Reader, page: Page, asked: Asked, known: Progress | None) -> bool:
    try:
        progress = known or after_page(reader, Seen(), Progress(), page, asked).progress
    except ExportError:
        return page.envelope.next is None  # its total is not believed; what it says of another page is
    return progress.cursor is None


def _judged(narrowed: _Side, everything: _Side, report: Report) -> str:
    """Say what follows, and note what cannot be right."""
    strange = set(narrowed.keys) - set(everything.keys) if everything.whole else set()
    other = list(narrowed.keys) != list(everything.keys)
    if strange:
        report.add("filter", f"{len(strange)} rows come with the filter that do not come without it.")
    if narrowed.total is not None and narrowed.total == everything.total and other:
        report.add(
            "filter",
            f"The total is {narrowed.total} with the filter and without it, and the rows are others: it counts rows "
            "that do not pass. Exports with a filter would fail: leave total out, or say exact = false.",
        )
    if _fewer(narrowed, everything):
        return _FEWER
    return _OTHER if other else _SAME


def _fewer(narrowed: _Side, everything: _Side) -> bool:
    if narrowed.total is not None and everything.total is not None:
        return narrowed.total < everything.total
    return narrowed.whole and len(narrowed.keys) < len(everything.keys)
