"""Listens to the log of its own process, for what no record tells: bugs, and others that refuse us."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from memberships_export.logs.fields import fields_of
from memberships_export.service.operator.noticed import Noticed

_EVENTS = frozenset(
    {
        "internal_error",
        "unforeseen_error",
        "unreadable_record",
        "key_set_unread",
        "provider_unanswered",
        "refused",
    }
)
_SHOWN = timedelta(hours=1)
# What these refuse, the exports that wait for it tell: their record has the cause.
_ON_RECORD = frozenset({"memberships_api", "token_endpoint", "secrets"})


class Noticing(logging.Handler):
    """Counts, and writes nothing."""

    def __init__(self, clock: Callable[[], datetime], tell: Callable[[str, str], None] | None = None) -> None:
        """`clock`: that of the process. `tell`: is told each too, where another process counts for all."""
        super().__init__(logging.WARNING)
        self._clock, self._tell = clock, tell
        self._counting = threading.Lock()
        self._found: dict[tuple[str, str], Noticed] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Look at its fields: what a reason quotes is no event of ours."""
        said = fields_of(record)
        event, by = str(said.get("event", "")), str(said.get("by", ""))
        if event in _EVENTS and by not in _ON_RECORD:
            what = "internal_error" if event == "unforeseen_error" else event
            self.count(what, by)
            if self._tell:
                self._tell(what, by)

    def __call__(self) -> Sequence[Noticed]:
        """Return what was noticed within the last hour."""
        now = self._clock()
        with self._counting:
            return [one for one in self._found.values() if now - one.last < _SHOWN]

    def count(self, what: str, by: str) -> None:
        """Count one, of this process or of another."""
        now = self._clock()
        with self._counting:
            known = self._found.get((what, by))
            if known is None or now - known.last >= _SHOWN:
                known = Noticed(what=what, by=by, count=known.count if known else 0, since=now, last=now)
            self._found[what, by] = replace(known, count=known.count + 1, last=now)
