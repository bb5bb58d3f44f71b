"""A queue with its dead letter queue, made as the deployment makes them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient


@dataclass(frozen=True)
class QueuePair:
    """URLs of a queue and of its dead letter queue."""

    url: str
    dead_letters_url: str


def new_queues(sqs: "SQSClient", visibility_seconds: int, max_receives: int) -> QueuePair:
    """Make a queue with a dead letter queue."""
    name = f"membership_exports_{uuid4().hex}"
    dead_letters = sqs.create_queue(QueueName=f"{name}_dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {max_receives}}}'
    attributes: Any = {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": redrive}
    return QueuePair(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], dead_letters)
