"""One queue, and one dead letter queue, for each stage, where each stage has a function of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from memberships_export.domain.export.record import Stage
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import Message, Received
from memberships_export.ports import DeadLetters, ExportQueue, Unwanted


class StageQueues:
    """ExportQueue that receives from one queue and sends to the one of the stage."""

    def __init__(self, own: ExportQueue, of_stage: Mapping[Stage, ExportQueue]) -> None:
        """`own`: the queue whose messages wake this process."""
        self._own = own
        self._of_stage = of_stage

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:
        """Put a message in the queue of the stage."""
        self._of_stage[stage].send(message, stage)

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:
        """Tell what is known about such a message in the queue of the stage."""
        return self._of_stage[stage].holds(message, stage)

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message from our own queue."""
        return self._own.receive(wait_seconds)

    def acknowledge(self, received: Received) -> None:
        """Remove a message of our own queue."""
        self._own.acknowledge(received)

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message of our own queue visible again after a delay."""
        self._own.give_back(received, delay_seconds)

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove messages from all queues, as far as they find any by content."""
        return _sum([queue.discard(unwanted) for queue in dict.fromkeys(self._of_stage.values())])


class StageDeadLetters:
    """DeadLetters of all stages of a process: a worker has those of its own queue, an operator sees all."""

    def __init__(self, queues: Sequence[DeadLetters]) -> None:
        """`queues`: at least one; the first takes what is added."""
        self._queues = queues
        self._found_in: dict[str, DeadLetters] = {}  # message id -> where it was last seen

    def add(self, message: Message) -> None:
        """Put a message there."""
        self._queues[0].add(message)

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        """Read letters of all queues, oldest first, without removing them."""
        letters: list[DeadLetter] = []
        for queue in self._queues:
            found = queue.browse(limit)
            self._found_in |= {letter.message_id: queue for letter in found}
            letters += found
        return sorted(letters, key=lambda letter: letter.sent_at)[:limit]

    @contextmanager
    def removing(self) -> Iterator[Callable[[DeadLetter], None]]:
        """Give what removes one letter for good from the queue it was seen in."""
        with ExitStack() as stack:
            removers = {queue: stack.enter_context(queue.removing()) for queue in self._queues}
            yield lambda letter: removers[self._found_in.get(letter.message_id, self._queues[0])](letter)

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove letters from all queues, as far as they find any by content."""
        return _sum([queue.discard(unwanted) for queue in self._queues])

    def move_all(self) -> bool:
        """Move the letters of all queues; false as soon as one cannot."""
        return all(queue.move_all() for queue in self._queues)

    def purge(self) -> int:
        """Remove all letters of all queues; return about how many there were."""
        return sum(queue.purge() for queue in self._queues)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
