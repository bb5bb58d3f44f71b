"""Which permission a request to AWS needs, and whose it was. The simulated AWS allows everything to everybody.

A program is told apart by its access key id: the rig gives each one its own.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

RIG = "testing"  # the access key id of the rig itself
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
_WRITES = {"Put": "dynamodb:PutItem", "Delete": "dynamodb:DeleteItem"}  # a transaction needs what its writes need
_S3 = {"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}


@dataclass(frozen=True)
class Needed:
    """One action on one resource: a table, `table/index/name`, a queue, `bucket`, `bucket/folder/*`, a secret's ARN."""

    program: str
    resource: str
    action: str


def needed_by(environ: dict[str, Any]) -> list[Needed]:
    """Read a request, unless it is the rig's own. Its body can be read again afterwards."""
    program = _program(environ)
    if program == RIG:
        return []
    if "HTTP_X_AMZ_TARGET" in environ:
        return [Needed(program, resource, action) for resource, action in _of_json(environ)]
    return [Needed(program, resource, action) for resource, action in _of_s3(environ)]


def _program(environ: dict[str, Any]) -> str:
    query = parse_qs(environ.get("QUERY_STRING", ""))
    signed = query.get("X-Amz-Credential", [""])[0]
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else signed.split("/")[0]


def _of_json(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(content)
    asked = json.loads(content or b"{}")
    service, _, call = environ["HTTP_X_AMZ_TARGET"].partition(".")
    if service == "AmazonSQS":
        yield _queue(asked), f"sqs:{call.removesuffix('Batch')}"  # IAM knows no batches
        if call == "StartMessageMoveTask":
            yield from _of_a_move(asked)
    elif service == "secretsmanager":
        yield asked["SecretId"], f"secretsmanager:{call}"
    elif service.startswith("DynamoDB"):
        yield from _of_dynamodb(call, asked)


def _of_a_move(asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """SQS moves messages with the rights of who started it."""
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield _name(asked["SourceArn"]), f"sqs:{action}"
    yield _name(asked["DestinationArn"]), "sqs:SendMessage"


def _queue(asked: dict[str, Any]) -> str:
    return _name(next(asked[name] for name in ("QueueUrl", "SourceArn", "QueueName", "TaskHandle") if name in asked))


def _name(url_or_arn: str) -> str:
    return url_or_arn.replace(":", "/").rsplit("/", maxsplit=1)[-1]


def _of_dynamodb(call: str, asked: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if call == "TransactWriteItems":
        return [(write["TableName"], _WRITES[kind]) for item in asked["TransactItems"] for kind, write in item.items()]
    if call == "BatchGetItem":
        return [(table, "dynamodb:BatchGetItem") for table in asked["RequestItems"]]
    index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
    return [(asked["TableName"] + index, f"dynamodb:{call}")]


def _of_s3(environ: dict[str, Any]) -> Iterable[tuple[str, str]]:
    bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
    query, method = environ.get("QUERY_STRING", ""), environ["REQUEST_METHOD"]
    if "list-type" in query:
        return [(bucket, "s3:ListBucket")]
    if method == "POST" and "delete" in query:
        return [(bucket, "s3:DeleteObject")]  # of which files stands in the body
    if not key or method not in _S3:
        return []
    if method == "DELETE" and "uploadId" in query:
        return [(f"{bucket}/{key.split('/')[0]}/*", "s3:AbortMultipartUpload")]
    return [(f"{bucket}/{key.split('/')[0]}/*", _S3[method])]
