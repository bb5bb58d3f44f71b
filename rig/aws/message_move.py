"""StartMessageMoveTask, which moto does not have: all messages of one queue go to another, as they are.

As on SQS they get new ids; unlike there, the task has ended when it is answered.
"""

import json
from typing import TYPE_CHECKING, Any

from memberships_export.adapters.aws import connections

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

CALLS = ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask")


def answer(call: str, environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401  (WSGI)
    """Do what the request asks for, by calls of the same server."""
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    handle = asked.get("SourceArn", "")  # the real one, too, names the queue in it
    answers: dict[str, dict[str, Any]] = {
        "StartMessageMoveTask": {"TaskHandle": handle},
        "ListMessageMoveTasks": {"Results": [{"TaskHandle": handle, "Status": "COMPLETED"}]},
        "CancelMessageMoveTask": {"ApproximateNumberOfMessagesMoved": 0},
    }
    if call == "StartMessageMoveTask":
        move(connections.Clients().sqs, _name(asked["SourceArn"]), _name(asked["DestinationArn"]))
    body = json.dumps(answers[call]).encode()
    start_response("200 OK", [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))])
    return [body]


def move(sqs: "SQSClient", source: str, destination: str) -> None:
    """Move everything that is visible."""
    from_url, to_url = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (source, destination))
    while found := sqs.receive_message(QueueUrl=from_url, MessageAttributeNames=["All"]).get("Messages"):
        for message in found:
            attributes: Any = message.get("MessageAttributes", {})
            sqs.send_message(QueueUrl=to_url, MessageBody=message["Body"], MessageAttributes=attributes)
            sqs.delete_message(QueueUrl=from_url, ReceiptHandle=message["ReceiptHandle"])


def _name(arn: str) -> str:
    return arn.rsplit(":", maxsplit=1)[-1]
