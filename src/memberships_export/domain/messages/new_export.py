"""A new export, with all that is written when it is accepted, and what became of that."""

from dataclasses import dataclass

from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.domain.messages.message import Message


@dataclass(frozen=True, slots=True)
class NewExport:
    """The record, the turn that its user takes, and the message that wakes a worker."""

    export: Export
    turn: Turn
    message: Message


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The record as stored, or the one in its way. `unsent`: why its message could not be sent, as the sweeper will."""

    export: Export
    unsent: str | None = None
