"""Whether a memberships API and its profile fit: two pages and a user that cannot exist, and all that does not fit.

Nothing is stored, mailed or noted on a record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from memberships_export.domain.errors import ExportError, MembershipsUnavailable
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.profile import SinglePage
from memberships_export.domain.source.reader import Reader
from memberships_export.domain.source.survey.proof import proof_of
from memberships_export.ports import MembershipSource
from memberships_export.service.find_user import FindUser
from memberships_export.service.operator.api_report import PageFacts, Report
from memberships_export.service.operator.canary_check import check_canary
from memberships_export.service.operator.filter_check import check_filter
from memberships_export.service.operator.page_check import Looked, check_first_page, check_second_page

_ENOUGH = 0.05  # seconds, for a figure of the speed
_MOST_TURNS = 1000
_UNSEEN = (
    "Nothing shows whether rows move between pages while they are read: exports say from when to when changes may be "
    "missing. An exact total, or a cursor, would show it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckApi:
    """Looks at an API by one profile. `seconds`: a clock that counts them from anywhere."""

    source: MembershipSource
    reader: Reader
    page_size: int
    seconds: Callable[[], float]

    def __call__(self, user: User, filters: Mapping[str, str] = MappingProxyType({})) -> Report:
        """Ask as a worker would for this user, and say what came. Raises nothing that the API can cause.

        `filters`: of the profile, by name, in the words of members.
        """
        report = Report(known=self.reader.known, proof=proof_of(self.reader.profile))
        if report.proof.unseen:
            report.notes.append(_UNSEEN)
        try:
            user = FindUser(self.source)(self.reader, user)
        except ExportError as error:
            report.add("user", error.reason)
            return report
        ask = Ask(self.reader.profile, user, self.page_size, filters)
        reachable = self._pages(ask, report)
        if reachable:
            check_canary(self.source, self.reader, Ask(ask.profile, user, ask.size), report)
        if reachable and filters and self.reader.profile.rows.owner is None:
            check_canary(self.source, self.reader, ask, report)
        return report

    def nobody(self, user: User) -> Report:
        """Ask for a user that cannot exist, alone: what can be looked at without knowing anybody."""
        report = Report(known=self.reader.known, proof=proof_of(self.reader.profile))
        check_canary(self.source, self.reader, Ask(self.reader.profile, user, self.page_size), report)
        return report

    def _pages(self, ask: Ask, report: Report) -> bool:
        """Look at both pages. False when nobody answers, so that asking again only takes time."""
        try:
            answer = self._fetch(ask, None, report)
        except MembershipsUnavailable:
            return False
        first = answer and check_first_page(self.reader, ask, self.source.base_url, answer, report)
        if answer and first:
            report.rows_per_second = self._speed(first, answer)
        if first and first.progress:
            self._second(ask, first, report)
        if first and ask.filters:
            check_filter(self.source, first, ask, report)
        return True

    def _second(self, ask: Ask, first: Looked, report: Report) -> None:
        assert first.progress  # noqa: S101  (page 1 is believed)
        if first.progress.cursor is None:
            report.notes += _ends_at_once(first)
            return
        try:
            answer = self._fetch(ask, first.progress.cursor, report)
        except MembershipsUnavailable:
            return
        if answer:
            check_second_page(first, ask, answer, report)

    def _fetch(self, ask: Ask, place: str | None, report: Report) -> Answer | None:
        number, began = len(report.pages) + 1, self.seconds()
        try:
            answer = self.source.fetch(ask.page(place), self.reader.known)
        except ExportError as error:
            report.add(f"page {number}", error.reason)
            if isinstance(error, MembershipsUnavailable):
                raise
            return None
        took = round((self.seconds() - began) * 1000)
        report.pages.append(PageFacts(number, asked_rows(ask), None, len(answer.body), took))
        return answer

    def _speed(self, first: Looked, answer: Answer) -> int | None:
        """Read and write the page again and again for a moment, as a worker does; the best turn counts."""
        ends, turns = self.seconds() + _ENOUGH, list[float]()
        while not turns or (self.seconds() < ends and len(turns) < _MOST_TURNS):
            began = self.seconds()
            try:
                rows = first.reader.read(answer).rows
                first.reader.check(rows)
                first.reader.table(rows)
            except ExportError:
                return None
            turns.append(self.seconds() - began)
        return round(len(rows) / min(turns)) if min(turns) > 0 and rows else None


def _ends_at_once(first: Looked) -> list[str]:
    """Say what could not be looked at because the user has too little."""
    if not first.keys:
        return ["This user has no memberships there: choose one that has some, or nothing of the columns is known."]
    single = isinstance(first.reader.profile.paginator, SinglePage)
    return (
        []
        if single
        else ["This user has one page, so page 2 was not looked at: choose one with more, or a lower size."]
    )


def asked_rows(ask: Ask) -> int | None:
    """Return the size that goes along with the call; None where none does."""
    wished = getattr(ask.profile.paginator, "size_param", None) or "{page.size}" in str(ask.profile.request)
    return ask.rows_a_page if wished else None
