"""For operators: who did what to whose data. Whoever looks is noted too."""

from dataclasses import dataclass, replace

from memberships_export.domain.audit import Action, AuditPage, AuditQuery, Origin
from memberships_export.ports import AuditLog
from memberships_export.service.auditing import Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAudit:
    """The use case behind `audit`."""

    log: AuditLog
    audit: Audit

    def __call__(self, query: AuditQuery, origin: Origin, user_id: str | None = None) -> AuditPage:
        """Read entries, the newest first; with a user id those of what this member did, or what was done to their data.

        Each look is noted first. Raises StorageUnavailable, also when that is not possible.
        """
        self.audit.note(origin, Action.AUDIT_READ, export_id=query.export_id or "", user_id=user_id)
        if user_id is not None:
            query = replace(query, person=self.audit.pseudonym(user_id))
        return self.log.read(query)
