"""For operators: what unfinished exports wait for at the moment. Without persons, places and texts of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Trouble
from memberships_export.ports import Clock, ExportStore

_LOOKED_AT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One kind of trouble: how many exports have it, and since when the longest one."""

    code: str
    exports: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatWaits:
    """Looks at those exports that will be tried next, in any process: at most a hundred."""

    store: ExportStore
    clock: Clock
    policy: Policy

    def __call__(self) -> Sequence[Waiting]:
        """Count them by trouble, the longest first. Raises StorageUnavailable."""
        soon = self.clock() + self.policy.give_up_after
        troubles: dict[str, list[datetime]] = {}
        for export in self.store.due(soon, _LOOKED_AT):
            if export.unfinished and export.trouble:
                troubles.setdefault(export.trouble.code, []).append(_since(export.trouble))
        found = [Waiting(code=code, exports=len(since), since=min(since)) for code, since in troubles.items()]
        return sorted(found, key=lambda waiting: waiting.since)


def _since(trouble: Trouble) -> datetime:
    return trouble.same_since or trouble.since
