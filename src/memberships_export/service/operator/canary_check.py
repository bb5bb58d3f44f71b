"""What a user that cannot exist gets: no rows, where the filter of the API works."""

from memberships_export.domain.errors import ExportError, MembershipsRefused, NothingThere
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.canary import nobody_like
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import Reader
from memberships_export.domain.source.survey.page_survey import survey
from memberships_export.ports import MembershipSource
from memberships_export.service.operator.api_report import CanaryFacts, Report

_NO_PROOF = "it proves nothing"


def check_canary(source: MembershipSource, reader: Reader, ask: Ask, report: Report) -> None:
    """Ask for nobody. Without an owner on the rows anything but no rows is a problem; with one it is worth knowing."""
    nobody = nobody_like(ask.user)
    owned = reader.profile.rows.owner is not None
    try:
        answer = source.fetch(Ask(ask.profile, nobody, ask.size, ask.filters).page(None), reader.known)
    except NothingThere:
        known = report.problems and not report.pages  # the API says the same of a real user
        words = _NO_PROOF if known else "it is not known there: the filter works"
        report.canary = CanaryFacts(nobody.id, None if known else 0, words)
        return
    except ExportError as error:
        report.canary = CanaryFacts(nobody.id, None, _NO_PROOF)
        # With owners on the rows, an API that answers for a real user may refuse this one in its own way.
        if not (owned and report.pages and isinstance(error, MembershipsRefused)):
            report.add("canary", error.reason)
        return
    _judge(reader, answer, nobody.id, report)


def _judge(reader: Reader, answer: Answer, nobody: str, report: Report) -> None:
    try:
        rows = len(reader.read(answer).rows)
    except ExportError as error:
        found = survey(reader.profile, answer.body)
        rows = len(found.rows.json) if found.rows else 0
        if not rows:
            report.canary = CanaryFacts(nobody, None, _NO_PROOF)
            for about, text in [(one.about, one.text) for one in found.mismatches] or [("canary", error.reason)]:
                report.add(about, text)
            return
    works = "the filter works" if not rows else "the filter does not work"
    report.canary = CanaryFacts(nobody, rows, works)
    if rows and reader.profile.rows.owner is None:
        report.add(
            "canary",
            f"The memberships API sent {rows} rows for a user that cannot exist, and its rows name no owner: name "
            "one in rows.owner, or correct the parameter that filters by user. Until then nothing is exported.",
        )
    elif rows:
        report.notes.append(
            f"A user that cannot exist got {rows} rows: the API ignores its filter. Each row's owner is checked, so "
            "that nobody gets the rows of others; exports fail on the first one of them."
        )
