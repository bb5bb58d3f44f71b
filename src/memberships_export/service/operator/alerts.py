"""Somebody is woken: each kind of trouble is told once an hour, by whichever process comes first."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.ports import Clock

log = logging.getLogger(__name__)
_QUIET = timedelta(hours=1)
_PAUSE_AFTER_FAILURE = timedelta(minutes=1)


class AlertFailed(Exception):
    """Nobody could be told; the text says why, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One kind of trouble, for who is woken. No personal data.

    `exports`: ids of some of those that have it. `occurrences`: what it is made of, each to be told once; none: a state
    that lasts. `always`: told at once also within the hour.
    """

    kind: str
    text: str
    count: int
    since: datetime
    exports: tuple[str, ...] = ()
    occurrences: tuple[str, ...] = ()
    always: bool = False


Alarm = Callable[[Alert], None]
"""Wakes somebody. Raises AlertFailed."""


class AlertNotes(Protocol):
    """Which alerts were given: known to all processes, and after a restart. Raises StorageUnavailable."""

    def unseen(self, occurrences: Sequence[str]) -> Sequence[str]:
        """Return those that no alert has told."""
        ...

    def claim(self, alert: Alert, now: datetime, quiet: timedelta) -> bool:
        """Take an alert in hand for two minutes; false when its kind was told within `quiet`, or all its occurrences.

        Of two processes at once, one gets it. When that one dies before it says what came of it, another has its turn.
        """
        ...

    def told(self, alert: Alert, now: datetime) -> None:
        """Note that somebody was told."""
        ...

    def give_back(self, alert: Alert) -> None:
        """Let it go: nobody could be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlerts:
    """One look around. What cannot be told is tried again a minute later, as long as it is there."""

    find: Callable[[], Iterable[Alert]]
    notes: AlertNotes
    alarms: Sequence[Alarm]
    clock: Clock
    _told_here: dict[str, datetime] = field(default_factory=dict)  # what the store could not take
    _again_at: dict[str, datetime] = field(default_factory=dict)

    def __call__(self) -> None:
        """Tell what was not told yet."""
        for alert in self.find():
            again_at = self._again_at.get(alert.kind)
            if (again_at is None or self.clock() >= again_at) and self._is_ours(alert):
                self._tell(alert)

    def _is_ours(self, alert: Alert) -> bool:
        now, quiet = self.clock(), timedelta(0) if alert.always else _QUIET
        if within(self._told_here.get(alert.kind), now, quiet):
            return False
        try:
            return self.notes.claim(alert, now, quiet)
        except StorageUnavailable:  # which may be the trouble that is to be told
            self._told_here[alert.kind] = now
            return True

    def _tell(self, alert: Alert) -> None:
        failures = [reason for alarm in self.alarms if (reason := _failure_of(alarm, alert))]
        for reason in failures:
            log.error("kind=%s event=alert_failed reason=%s", alert.kind, reason)
        if len(failures) < len(self.alarms):  # somebody knows
            log.info("kind=%s count=%d event=alerted", alert.kind, alert.count)
            self._note(lambda: self.notes.told(alert, self.clock()), alert)
            return
        self._again_at[alert.kind] = self.clock() + _PAUSE_AFTER_FAILURE
        self._told_here.pop(alert.kind, None)
        self._note(lambda: self.notes.give_back(alert))

    def _note(self, note: Callable[[], None], told: Alert | None = None) -> None:
        try:
            note()
        except StorageUnavailable as error:
            log.warning("event=trouble code=%s reason=%s", error.code, error.reason)
            if told:
                self._told_here[told.kind] = self.clock()


def within(noted: datetime | None, now: datetime, quiet: timedelta) -> bool:
    """Tell whether it was noted so short a time ago. What is noted later than now is of a clock that was set back."""
    return noted is not None and now - quiet < noted <= now


def _failure_of(alarm: Alarm, alert: Alert) -> str | None:
    try:
        alarm(alert)
    except AlertFailed as error:
        return str(error)
    return None
