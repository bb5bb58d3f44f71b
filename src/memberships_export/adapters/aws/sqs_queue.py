"""ExportQueue in SQS: a standard queue, whose visibility timeout and redrive policy belong to the queue itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from memberships_export.adapters.aws.aws_errors import aws_errors, error_code
from memberships_export.adapters.aws.sqs_message import message_from, message_group, queue_name, sqs_attributes
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Stage
from memberships_export.domain.messages.limits import check_message
from memberships_export.domain.messages.message import Message, Received
from memberships_export.ports import Unwanted

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

log = logging.getLogger(__name__)
_COUNT_SECONDS = 30.0  # so long a count is good: for a pass of the sweeper, and not for the next
_LONGEST_WAIT = 20  # seconds of a long poll
# SQS hides a message for 12 hours at most, counted from its receive. Half of that is always still left: a message in
# hand was received within the visibility timeout, and that is far below six hours. Whoever waits longer asks again.
_LONGEST_DELAY = 6 * 3600
_STALE = frozenset({"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"})


class SqsExportQueue:
    """One SQS queue of messages that wake a worker."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        """`queue_url`: of a standard queue with a redrive policy to the dead letter queue."""
        self._client = client
        self._url = queue_url
        self._resource = f"SQS queue {queue_name(queue_url)}"
        self._waiting, self._count_again_at = 0, 0.0
        self._counting = Lock()

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:  # noqa: ARG002  (one queue for all)
        """Put a message in the queue. Raises ValueError for what SQS would refuse."""
        check_message(message)
        user_id = message.attributes.get("userId")
        group: dict[str, Any] = {"MessageGroupId": message_group(user_id)} if user_id else {}
        with aws_errors(self._resource):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=message.body, MessageAttributes=sqs_attributes(message), **group
            )

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:  # noqa: ARG002  (SQS counts only)
        """Tell that there is no such message when there is none at all, as SQS counts; asked now and then only."""
        with self._counting:
            if monotonic() >= self._count_again_at:
                self._waiting = self._count()
                self._count_again_at = monotonic() + _COUNT_SECONDS
            return None if self._waiting else False

    def discard(self, unwanted: Unwanted) -> None:
        """Say that SQS finds no message by its content."""

    def _count(self) -> int:
        """Return about how many messages wait; none when that cannot be known: better one too many than none."""
        wanted: Any = ["ApproximateNumberOfMessages"]
        try:
            with aws_errors(self._resource):
                answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=wanted)
        except StorageUnavailable as error:
            log.warning("event=trouble code=%s reason=%s", error.code, error.reason)
            return 0
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message; a wait is a long poll, which asks every server of SQS."""
        with aws_errors(self._resource):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=min(ceil(wait_seconds), _LONGEST_WAIT),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        for found in answer.get("Messages", []):
            return Received(
                message_id=found.get("MessageId", ""),
                message=message_from(found),
                receipt=found.get("ReceiptHandle", ""),
                receive_count=int(found.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
            )
        return None

    def acknowledge(self, received: Received) -> None:
        """Remove a message for good, if it is still ours."""
        with aws_errors(self._resource), _harmless_when_stale():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=received.receipt)

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message visible again after a delay of at most six hours, if it is still ours."""
        delay = min(max(ceil(delay_seconds), 0), _LONGEST_DELAY)
        with aws_errors(self._resource), _harmless_when_stale():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=received.receipt, VisibilityTimeout=delay
            )


@contextmanager
def _harmless_when_stale() -> Iterator[None]:
    """Let a receipt pass that is of no use any more: the message is gone, or somebody else has it."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in _STALE:
            raise
