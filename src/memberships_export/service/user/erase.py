"""A member deletes one of their exports, with all that there is of it."""

import hmac
from dataclasses import dataclass

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import UnknownExport, UnreadableRecord
from memberships_export.domain.export.tombstone import Tombstone, tombstone_of, tombstone_of_unreadable
from memberships_export.ports import Clock, Erasures, ExportStore
from memberships_export.service.auditing import Audit
from memberships_export.service.clear_erased import ClearErased


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOwnExport:
    """The use case behind `DELETE /memberships/exports/{exportId}`. Asked again, it answers the same."""

    store: ExportStore
    erasures: Erasures
    clear: ClearErased
    audit: Audit
    clock: Clock

    def __call__(self, export_id: str, user_id: str, origin: Origin = SYSTEM) -> Tombstone:
        """Erase this user's export, also one under way. Raises UnknownExport for that of another user.

        Intent first: whoever dies in between leaves a tombstone by which the rest is done.
        """
        owner = self.audit.pseudonym(user_id)
        planned = self._planned(export_id, user_id, owner)
        if planned is None:
            return self._again(export_id, owner)
        with self.audit.noting(origin, Action.DATA_ERASED, export_id=export_id, user_id=user_id):
            tombstone = self.erasures.begin(planned)
            self.clear([tombstone])
        return tombstone

    def _planned(self, export_id: str, user_id: str, owner: str) -> Tombstone | None:
        """Make the tombstone, also of a record that cannot be read; None when there is no record."""
        now = self.clock()
        try:
            export = self.store.get(export_id, expired=True)
        except UnreadableRecord as error:
            if error.user_id != user_id:
                raise UnknownExport from error
            return tombstone_of_unreadable(error, owner, now)
        if export and export.user_id != user_id:
            raise UnknownExport
        return tombstone_of(export, owner, now) if export else None

    def _again(self, export_id: str, owner: str) -> Tombstone:
        known = self.erasures.get(export_id)
        if known is None or not hmac.compare_digest(known.owner, owner):
            raise UnknownExport
        if known.clear_at is not None and known.clear_at <= self.clock():
            self.clear([known])
        return known
