"""One queue for each stage, where each stage has a function of its own."""

from collections.abc import Mapping

from memberships_export.domain.export import Stage
from memberships_export.domain.message import Message, Received
from memberships_export.ports import ExportQueue


class StageQueues:
    """ExportQueue that receives from one queue and sends to the one of the stage."""

    def __init__(self, own: ExportQueue, of_stage: Mapping[Stage, ExportQueue]) -> None:
        """`own`: the queue whose messages wake this process."""
        self._own = own
        self._of_stage = of_stage

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:
        """Put a message in the queue of the stage."""
        self._of_stage[stage].send(message, stage)

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message from our own queue."""
        return self._own.receive(wait_seconds)

    def acknowledge(self, received: Received) -> None:
        """Remove a message of our own queue."""
        self._own.acknowledge(received)

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message of our own queue visible again after a delay."""
        self._own.give_back(received, delay_seconds)
