"""DeadLetters in SQS.

SQS has no way to look at a queue: to read letters is to receive them, and to put them back at once. A receipt counts
for sure only while its letter is in hand: one that is stale, or whose letter was put back, may delete nothing without
saying so.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from memberships_export.adapters.aws.aws_errors import aws_errors, error_code
from memberships_export.adapters.aws.sqs_letter_move import move_letters
from memberships_export.adapters.aws.sqs_message import message_from, queue_name, sqs_attributes
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.messages.letters import FAILURE_ATTRIBUTES, DeadLetter
from memberships_export.domain.messages.limits import MAX_ATTRIBUTES, check_message
from memberships_export.domain.messages.message import Message
from memberships_export.ports import Unwanted

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)
_BATCH = 10  # the most SQS gives at once
_IN_HAND_SECONDS = 60  # how long letters stay hidden from others if this process dies while it reads
_TRUSTED_SECONDS = 30  # how long letters count as in hand
_RECEIVED_TOO_OFTEN = {
    "stage": "receive",
    "errorCode": "received_too_often",
    "reason": "No worker acknowledged it in the receives that the queue allows: they died, or could not save.",
}
_COUNTS: "Sequence[QueueAttributeNameType]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsDeadLetters:
    """The dead letter queue of one SQS queue."""

    def __init__(self, client: "SQSClient", queue_url: str, pause: Callable[[float], None] = sleep) -> None:
        """`queue_url`: of the dead letter queue. `pause`: waits so many seconds between two looks at a move."""
        self._client = client
        self._pause = pause
        self._url = queue_url
        self._resource = f"SQS queue {queue_name(queue_url)}"
        self._known = 0  # how many letters there were when they were last read

    def add(self, message: Message) -> None:
        """Put a message there. Raises ValueError for what SQS would refuse."""
        check_message(message)
        with aws_errors(self._resource):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=message.body, MessageAttributes=sqs_attributes(message)
            )

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        """Read letters and put them back, oldest first. With more than `limit` there, SQS chooses which."""
        with aws_errors(self._resource):
            letters = [_letter(found) for batch in self._batches(limit) for found in batch]
        self._known = len(letters)
        return sorted(letters, key=lambda letter: letter.sent_at)

    @contextmanager
    def removing(self) -> Iterator[Callable[[DeadLetter], None]]:
        """Give what removes one letter for good, while it is in hand: so are those that were received on the way to it.

        They are put back at the end, so that a long list is not received anew for each of its letters.
        """
        hand = _Hand(monotonic())

        def remove(letter: DeadLetter) -> None:
            with aws_errors(self._resource):
                self._remove(letter.message_id, hand)

        try:
            yield remove
        finally:
            with aws_errors(self._resource):
                self._put_back(hand)

    def _remove(self, message_id: str, hand: "_Hand") -> None:
        if monotonic() - hand.since > _TRUSTED_SECONDS:
            self._put_back(hand)
        while message_id not in hand.receipts:
            fresh = _receipts(self._receive(_BATCH, hurry=False))
            if fresh.keys() <= hand.receipts.keys():  # no more there: it is gone, or somebody else is looking at it
                return
            hand.receipts |= fresh
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=hand.receipts.pop(message_id))

    def discard(self, unwanted: Unwanted) -> None:
        """Say that SQS finds no letter by its content: an operator looks at them one by one."""

    def move_all(self) -> bool:
        """Let SQS move all letters back to the queue, and wait until it has. False: it did not, or not all."""
        with aws_errors(self._resource):
            failure = move_letters(self._client, self._url, self._known, self._pause)
        if failure:
            log.warning("queue=%s event=not_moved reason=%s", queue_name(self._url), failure)
        return failure is None

    def purge(self) -> int:
        """Remove all letters; return about how many there were. SQS allows one purge in 60 seconds."""
        with aws_errors(self._resource):
            count = self._count()
            try:
                self._client.purge_queue(QueueUrl=self._url)
            except ClientError as error:
                if error_code(error) != "PurgeQueueInProgress":
                    raise
                reason = f"{self._resource} was purged within the last 60 seconds. Purge it again after a minute."
                raise StorageUnavailable(reason, retry_after=60) from error
        self._known = 0
        return count

    def _batches(self, limit: int) -> "Generator[Sequence[MessageTypeDef]]":
        """Receive letters that we have not seen in this pass, until there are no more; then put them all back."""
        hand, expected = _Hand(monotonic()), min(limit, self._count())
        try:
            while (seen := len(hand.receipts)) < limit:
                found = self._receive(min(_BATCH, limit - seen), hurry=bool(seen) and seen >= expected)
                new = [one for one in found if one.get("MessageId", "") not in hand.receipts]
                hand.receipts |= _receipts(found)
                if not new:
                    return
                yield new
        finally:
            self._put_back(hand)

    def _receive(self, count: int, *, hurry: bool) -> "Sequence[MessageTypeDef]":
        """Ask all servers of SQS as long as something is expected, and first: what SQS counts is approximate."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=0 if hurry else 1,
            VisibilityTimeout=_IN_HAND_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
        )
        return answer.get("Messages", [])

    def _put_back(self, hand: "_Hand") -> None:
        """Show the letters to others again. What cannot be put back comes back by itself."""
        handles = list(hand.receipts.values())
        hand.receipts.clear()
        hand.since = monotonic()
        for start in range(0, len(handles), _BATCH):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[start : start + _BATCH])
                ],
            )

    def _count(self) -> int:
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=_COUNTS)
        return sum(int(answer["Attributes"].get(name, "0")) for name in _COUNTS)


@dataclass(slots=True)
class _Hand:
    """Letters that were received and not put back yet: message id -> receipt. `since`: when there were none."""

    since: float
    receipts: dict[str, str] = field(default_factory=dict)


def _receipts(found: "Sequence[MessageTypeDef]") -> dict[str, str]:
    return {one.get("MessageId", ""): one.get("ReceiptHandle", "") for one in found}


def _letter(found: "MessageTypeDef") -> DeadLetter:
    sent_at = datetime.fromtimestamp(int(found.get("Attributes", {}).get("SentTimestamp", "0")) / 1000, UTC)
    return DeadLetter(
        message_id=found.get("MessageId", ""),
        message=_explained(found),
        receipt=found.get("ReceiptHandle", ""),
        sent_at=sent_at,
    )


def _explained(found: "MessageTypeDef") -> Message:
    """Say why a letter is there that SQS moved by itself: it moves messages without a word."""
    message = message_from(found)
    if "DeadLetterQueueSourceArn" not in found.get("Attributes", {}):
        return message
    # What a moved letter still says of an earlier failure is not why it is there now.
    own = {name: value for name, value in message.attributes.items() if name not in FAILURE_ATTRIBUTES}
    room = len(own) <= MAX_ATTRIBUTES - len(_RECEIVED_TOO_OFTEN)
    return Message(message.body, own | _RECEIVED_TOO_OFTEN) if room else message
