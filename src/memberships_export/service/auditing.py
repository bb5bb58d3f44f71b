"""Noting what is done in the audit log: before it is done, so that nothing done is missing there."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_bytes

from memberships_export.domain.audit import (
    Action,
    Actor,
    Audited,
    Origin,
    Outcome,
    entry_id,
    kept_id,
)
from memberships_export.domain.errors import ExportError
from memberships_export.domain.pseudonyms import pseudonym
from memberships_export.ports import AuditLog, Clock, Ports

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Noted:
    """What can still be said about an action that was noted: `letters=3`."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Writes entries. `key` makes the pseudonyms of members."""

    log: AuditLog
    clock: Clock
    key: Callable[[], str]

    @contextmanager
    def noting(
        self, origin: Origin, action: Action, *, export_id: str = "", user_id: str | None = None
    ) -> Iterator[Noted]:
        """Note an action, do it inside the block, note its outcome. `user_id`: whose data it is.

        Raises StorageUnavailable, and does nothing, when it cannot be noted. That an outcome cannot be noted is logged:
        the entry stays, as one that was begun.
        """
        entry = self.entry(origin, action, export_id=export_id, user_id=user_id)
        self.log.note(entry)
        noted = Noted()
        try:
            yield noted
        except Exception as error:
            code = error.code if isinstance(error, ExportError) else "internal_error"
            self._end(entry.ended(Outcome.FAILED, code))
            raise
        self._end(entry.ended(Outcome.DONE, noted.detail))

    def note(self, origin: Origin, action: Action, *, export_id: str = "", user_id: str | None = None) -> None:
        """Note an action that is as good as done. Raises StorageUnavailable."""
        entry = self.entry(origin, action, export_id=export_id, user_id=user_id)
        self.log.note(entry.ended(Outcome.DONE))

    def entry(self, origin: Origin, action: Action, *, export_id: str = "", user_id: str | None = None) -> Audited:
        """Make an entry with the outcome begun."""
        now = self.clock()
        is_named = origin.actor is not Actor.MEMBER or not origin.who
        return Audited(
            id=entry_id(now, token_bytes(8)),
            at=now,
            actor=origin.actor,
            who=origin.who if is_named else self.pseudonym(origin.who),
            about="" if user_id is None else self.pseudonym(user_id),
            action=action,
            export_id=kept_id(export_id),
            channel=origin.channel,
            ip=origin.ip,
            request_id=kept_id(origin.request_id),
        )

    def pseudonym(self, user_id: str) -> str:
        """Return what stands for a member in the entries."""
        return pseudonym(user_id, self.key())

    def _end(self, entry: Audited) -> None:
        try:
            self.log.note(entry)
        except ExportError as error:
            log.warning(
                "export=%s action=%s event=outcome_not_noted reason=%s", entry.export_id, entry.action, error.reason
            )


def audit_of(ports: Ports) -> Audit:
    """Return what notes in the audit log of these ports."""
    return Audit(log=ports.audit, clock=ports.clock, key=ports.audit_key)
