"""A client for services of AWS with a JSON protocol (1.0 or 1.1): the operation in a header, its arguments as the body.

It stands for botocore's clients where a start must be quick: the same methods, answers and errors, without the models
that describe them. Source: "AWS JSON 1.0 protocol" in the documentation of Smithy.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult
from zlib import crc32

import msgspec
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from urllib3 import BaseHTTPResponse, exceptions

from memberships_export.adapters.aws.retries import ATTEMPTS, Quota, passes, pause
from memberships_export.adapters.aws.signature import Signer
from memberships_export.adapters.http.bounded import Outgoing, TooLarge, TooLate, read_body, send
from memberships_export.adapters.http.pool import open_pool
from memberships_export.version import USER_AGENT

_CONNECT_SECONDS = 2
_LARGEST = 32 * 1024 * 1024  # bytes of an answer: twice what DynamoDB gives at once
# The most specific first: to urllib3 a connection that is refused is one that takes too long.
_TROUBLE: tuple[tuple[type[Exception], type[BotoCoreError]], ...] = (
    (exceptions.NewConnectionError, EndpointConnectionError),
    (exceptions.ConnectTimeoutError, ConnectTimeoutError),
    (exceptions.SSLError, SSLError),
    (exceptions.ReadTimeoutError, ReadTimeoutError),
    (TooLate, ReadTimeoutError),
    (TooLarge, HTTPClientError),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """How a service is spoken to. `scale`: of the first pause after something broke, in seconds."""

    version: str
    target: str  # before the name of the operation
    scale: float = 0.05


class JsonClient:
    """Calls one service. Its methods are the operations: `get_item(TableName=...)` asks for GetItem.

    Raises what botocore's clients raise. Safe to share between threads.
    """

    def __init__(
        self,
        protocol: Spoken,
        url: SplitResult,
        signer: Signer,
        read_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url`: of the service, without a path. Opens no connection yet."""
        self._protocol = protocol
        self._url = url
        self._signer = signer
        self._read_seconds = read_seconds
        self._sleep = sleep
        self._pool = open_pool(url)
        self._quota = Quota()

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Return what calls the operation of this name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._call, name.title().replace("_", ""))

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  (any JSON)
        body, cost = msgspec.json.encode(arguments), 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._once(operation, body)
            except (ClientError, BotoCoreError) as error:
                if attempt == ATTEMPTS or not passes(error) or not (cost := self._quota.take(error)):
                    raise
                self._sleep(pause(error, attempt, self._protocol.scale, random.random()))  # noqa: S311  (no secret)
            else:
                self._quota.give_back(cost)
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        until = time.monotonic() + _CONNECT_SECONDS + 2 * self._read_seconds
        try:
            answer = self._sent(operation, body, until)
            try:
                content = read_body(answer, _LARGEST, until)
            finally:
                answer.close()
        except (exceptions.HTTPError, TooLate, TooLarge) as error:
            raise self._trouble(error) from error
        if answer.headers.get("x-amz-crc32", str(crc32(content))) != str(crc32(content)):  # sent by DynamoDB
            raise ResponseStreamingError(error="its checksum is another")
        if answer.status != HTTPStatus.OK:
            raise ClientError(_refusal(answer, content), operation)
        return _object(content)

    def _sent(self, operation: str, body: bytes, until: float) -> BaseHTTPResponse:
        protocol = self._protocol
        headers = {
            "Host": self._url.netloc,
            "Content-Type": f"application/x-amz-json-{protocol.version}",
            "X-Amz-Target": f"{protocol.target}.{operation}",
            "X-Amzn-Query-Mode": "true",  # SQS then names errors as its older protocol did
        }
        signed = self._signer.signed(headers, body, datetime.now(UTC))
        request = Outgoing(method="POST", target="/", headers={**signed, "User-Agent": USER_AGENT}, body=body)
        connect, read = _CONNECT_SECONDS, self._read_seconds
        return send(self._pool, request, until=until, connect_seconds=connect, read_seconds=read)

    def _trouble(self, error: Exception) -> BotoCoreError:
        """Return the error that botocore's clients raise; never with a text of urllib3's."""
        made = next((ours for theirs, ours in _TROUBLE if isinstance(error, theirs)), ConnectionClosedError)
        return made(endpoint_url=self._url.geturl(), error=type(error).__name__)


def _object(content: bytes) -> dict[str, Any]:
    try:
        parsed = msgspec.json.decode(content or b"{}")
    except msgspec.DecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ResponseStreamingError(error="it is no JSON object")
    return parsed


def _refusal(answer: BaseHTTPResponse, content: bytes) -> Any:  # noqa: ANN401  (as ClientError takes it)
    """Return the answer as botocore reads it: the fields of the error beside its code."""
    try:
        fields = _object(content)
    except ResponseStreamingError:  # a proxy in between speaks HTML
        fields = {}
    named = str(fields.get("__type") or answer.headers.get("x-amzn-errortype") or answer.status)
    code = named.rsplit("#", maxsplit=1)[-1].split(":", maxsplit=1)[0]
    older, _, who = answer.headers.get("x-amzn-query-error", "").partition(";")
    message = fields.get("message", fields.get("Message", ""))
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {
        **{name: value for name, value in fields.items() if name not in {"__type", "message"}},
        "Error": {"Code": older if older and who else code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": answer.status, "HTTPHeaders": headers},
    }
