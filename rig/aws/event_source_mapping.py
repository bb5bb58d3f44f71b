"""What Lambda does between a queue and a function: take messages, invoke, delete what was done, leave what was not.

A message that was not done comes back by the queue's visibility timeout, with its receive count raised: also when the
function failed, ran out of time or was killed.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any, Self

from rig.aws.lambda_runtime import REGION, LambdaFunction
from rig.aws.runtime_api import FunctionFailed
from rig.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

_PAUSE_SECONDS = 0.02  # after an empty answer, for servers that do not wait themselves
_MOST_MESSAGES = 10  # of one call


@dataclass(frozen=True)
class Invoked:
    """One invocation: the messages it had, with their receive counts, those that stay, and why it failed."""

    messages: Mapping[str, int]
    stay: frozenset[str]
    error: FunctionFailed | None = None


@dataclass
class EventSourceMapping:
    """Runs while it is entered. Its maximum concurrency is the number of its functions."""

    sqs: "SQSClient"
    queue_url: str
    functions: Sequence[LambdaFunction]
    batch_size: int = 1
    wait_seconds: int = 0  # 20 on AWS; a server that handles one call after the other cannot wait
    invoked: list[Invoked] = field(default_factory=list)
    crashed: list[Exception] = field(default_factory=list)
    _ended: Condition = field(default_factory=Condition, repr=False)

    def __enter__(self) -> Self:
        asked = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])
        self._arn = asked["Attributes"]["QueueArn"]
        self._stopping = Event()
        self._pollers = [Thread(target=self._poll, args=(function,), name="poller") for function in self.functions]
        for poller in self._pollers:
            poller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for poller in self._pollers:
            poller.join()
        if self.crashed:
            raise self.crashed[0]

    def until_invoked(self, times: int) -> None:
        """Wait until so many invocations have ended."""
        with self._ended:
            assert self._ended.wait_for(lambda: len(self.invoked) >= times or self.crashed, PATIENCE_SECONDS), (
                f"{len(self.invoked)} of {times} invocations ended"
            )

    def _poll(self, function: LambdaFunction) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._receive()
                if messages:
                    self._handle(function, messages)
                else:
                    self._stopping.wait(_PAUSE_SECONDS)
        except Exception as error:  # noqa: BLE001  (shown to the test by __exit__)
            with self._ended:
                self.crashed.append(error)
                self._ended.notify_all()

    def _receive(self) -> "list[MessageTypeDef]":
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=min(self.batch_size, _MOST_MESSAGES),
            WaitTimeSeconds=self.wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _handle(self, function: LambdaFunction, messages: "Sequence[MessageTypeDef]") -> None:
        counts = {message["MessageId"]: int(message["Attributes"]["ApproximateReceiveCount"]) for message in messages}
        error: FunctionFailed | None = None
        try:
            answer = function.invoke({"Records": [record_of(message, self._arn) for message in messages]})
            stay = failed_items(answer, frozenset(counts))
        except FunctionFailed as failed:
            error, stay = failed, frozenset(counts)
        for message in messages:
            if message["MessageId"] not in stay:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        with self._ended:
            self.invoked.append(Invoked(counts, stay, error))
            self._ended.notify_all()


def failed_items(answer: object, sent: frozenset[str]) -> frozenset[str]:
    """Return which messages stay. Nothing named: none. An answer that cannot be understood: all."""
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not named:
        return frozenset()
    try:
        stay = frozenset(item["itemIdentifier"] for item in named)
    except (KeyError, TypeError):
        return sent
    unknown = stay - sent
    return sent if unknown else stay


def record_of(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    """Write a message as a record of the event that a function gets."""
    attributes = message.get("MessageAttributes", {})
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }
    return record | ({"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if attributes else {})


def _attribute(value: "MessageAttributeValueOutputTypeDef") -> dict[str, Any]:
    content = (
        {"binaryValue": b64encode(value["BinaryValue"]).decode()}
        if "BinaryValue" in value
        else {"stringValue": value["StringValue"]}
    )
    return {**content, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
