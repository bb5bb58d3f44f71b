"""The cheap part of a check, at every start: one call for a user that cannot exist, beside the work."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.source.asking import User
from memberships_export.ports import Clock
from memberships_export.service.operator.api_report import Report
from memberships_export.service.operator.check_api import CheckApi

log = logging.getLogger(__name__)
_ANYBODY = User("1", "")  # only the form of the id is taken: a number can stand for a text, not the other way round


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFound:
    """What was found, without persons, places and texts of others. `problems`: what they are about."""

    profile: str
    sha256: str
    checked: datetime
    problems: Sequence[str]


class FirstLook:
    """Asks once, and remembers what came of it. It raises nothing: a service starts whatever the API does."""

    def __init__(self, check: CheckApi, clock: Clock) -> None:
        """`check`: of the API and the profile in force."""
        self._check, self._clock = check, clock
        self._found: ApiFound | None = None

    def __call__(self) -> None:
        """Ask, and tell the log."""
        try:
            report = self._check.nobody(_ANYBODY)
        except Exception:
            log.exception("event=internal_error")
            return
        self._found = ApiFound(
            profile=report.known.name,
            sha256=report.known.fingerprint,
            checked=self._clock(),
            problems=list(dict.fromkeys(problem.about for problem in report.problems)),
        )
        _tell(report)

    def found(self) -> ApiFound | None:
        """Return what was found; None as long as nothing was."""
        return self._found


def _tell(report: Report) -> None:
    words = report.canary.words if report.canary else "-"
    if report.problems:
        reasons = "; ".join(f"{problem.about}: {problem.text}" for problem in report.problems)
        log.warning("problems=%d event=api_checked reason=%s", len(report.problems), reasons)
    else:
        log.info("problems=0 event=api_checked canary=%s", words)
