"""The queue, and its dead letters."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from memberships_export.domain.export.record import Stage
from memberships_export.domain.messages.belonging import Queued
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import Message, Received

Unwanted = Callable[[Queued], bool]
"""Tells which messages are to be removed."""


class ExportQueue(Protocol):
    """At-least-once messages with a visibility timeout; after too many receives a message is a dead letter."""

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:
        """Put a message in the queue; `stage` chooses it where each stage has workers and a queue of its own."""
        ...

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:
        """Tell whether a message like this waits in the queue. None: messages do, and nobody can tell which."""
        ...

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message, invisible to others for the visibility timeout; None when there is none in time."""
        ...

    def acknowledge(self, received: Received) -> None:
        """Remove a message for good. Harmless when it is gone or was taken by another."""
        ...

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message visible again after a delay. Its receive count stays."""
        ...

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove messages, also those in a worker's hand; return how many. None: this queue finds none by content."""
        ...


class DeadLetters(Protocol):
    """The dead letter queue, to be read and cleared by people."""

    def add(self, message: Message) -> None:
        """Put a message into the dead letter queue; it is stored when this returns."""
        ...

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        """Read letters, oldest first, without removing them."""
        ...

    def removing(self) -> AbstractContextManager[Callable[[DeadLetter], None]]:
        """Give what removes one letter for good, harmless when it is gone, for as long as letters are removed."""
        ...

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove letters; return how many. None: this queue finds none by content, so browse and remove them."""
        ...

    def move_all(self) -> bool:
        """Move all letters, as they are, back to the queue they belong to.

        False when this queue does not do that, or not to the end: redrive one by one what is left.
        """
        ...

    def purge(self) -> int:
        """Remove all letters; return how many there were (as far as is known)."""
        ...
