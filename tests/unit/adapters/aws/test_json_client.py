"""The clients of functions beside botocore's: of the same answers both make the same."""

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import botocore.endpoint
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries import standard
from botocore.session import Session

from memberships_export.adapters.aws import retries
from memberships_export.adapters.aws.aws_errors import aws_errors, error_code
from memberships_export.adapters.aws.function_clients import DYNAMODB, SECRETS_MANAGER, SQS
from memberships_export.adapters.aws.json_client import JsonClient, Spoken
from memberships_export.adapters.aws.signature import Signer
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.version import USER_AGENT
from rig.loopback import LoopbackHandler, LoopbackServer, free_port

READ_SECONDS = 5.0
session = cache(Session)


@dataclass
class Given:
    """One answer. `cut`: the connection ends in place of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class Scripted(LoopbackServer):
    """Answers with what was given, one after the other, and then with the last of it again and again."""

    def __init__(self, *answers: Given) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, str]] = []
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    server: Scripted

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append({name.lower(): value for name, value in self.headers.items()})
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.cut:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)


def refusal(code: str, status: int = 400, headers: dict[str, str] | None = None, **fields: object) -> Given:
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "made to fail", **fields}).encode()
    return Given(status, body, headers or {})


def ours(
    url: str, protocol: Spoken = DYNAMODB, service: str = "dynamodb", slept: list[float] | None = None
) -> JsonClient:
    signer = Signer(access_key="id", secret_key="key", region="eu-west-1", service=service)
    pauses = [] if slept is None else slept
    return JsonClient(protocol, urlsplit(url), signer, READ_SECONDS, sleep=pauses.append)


@pytest.fixture
def botocores(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make clients of botocore as the other processes have them, which do not sleep."""
    awake = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    monkeypatch.setattr(botocore.endpoint, "time", awake)

    def make(url: str, service: str = "dynamodb") -> Any:  # noqa: ANN401  (its class is made at run time)
        config = Config(retries={"mode": "standard", "total_max_attempts": 3}, read_timeout=READ_SECONDS)
        return session().create_client(service, endpoint_url=url, config=config)

    return make


def outcome(client: Any, call: str = "get_item", **arguments: Any) -> Any:  # noqa: ANN401
    """Return what comes of a call: the answer, or what tells one error from another."""
    try:
        answer = getattr(client, call)(**arguments)
    except ClientError as error:
        response: Any = error.response
        said = {name: value for name, value in response.items() if name in {"Item", "CancellationReasons"}}
        return error.operation_name, error_code(error), response["ResponseMetadata"]["HTTPStatusCode"], said
    except BotoCoreError as error:
        return type(error)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


GET: dict[str, Any] = {"TableName": "t", "Key": {"pk": {"S": "1"}}}
ITEM = {"pk": {"S": "1"}, "wakeAt": {"N": "1.5"}, "times": {"L": [{"N": "1"}]}}
ANSWERS = {
    "an item": Given(body=json.dumps({"Item": ITEM}).encode()),
    "nothing": Given(),
    "an empty body": Given(body=b""),
    "a checksum": Given(headers={"x-amz-crc32": str(crc32(b"{}"))}),
    "another checksum": Given(headers={"x-amz-crc32": "1"}),
    "a failed condition": refusal("ConditionalCheckFailedException", Item=ITEM),
    "a cancelled transaction": refusal(
        "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]
    ),
    "an error without a body": Given(403, b""),
    "an error of a proxy": Given(502, b"<html>Bad Gateway</html>"),
    "a code with a colon": Given(400, b'{"__type": "ValidationException:http://internal.amazon.com/", "Message": "m"}'),
    "an end of the connection": Given(cut=True),
}
STATUSES = (400, 403, 404, 413, 429, 500, 501, 502, 503, 504)
CODES = [*sorted(retries.THROTTLED | retries.TRANSIENT), "ValidationException", "InternalServerError", "ExpiredToken"]


@pytest.mark.parametrize("name", ANSWERS)
def test_of_an_answer_it_makes_what_botocore_makes(name: str, botocores: Callable[..., Any]) -> None:
    with Scripted(ANSWERS[name]) as mine, Scripted(ANSWERS[name]) as theirs:
        made, expected = outcome(ours(mine.url), **GET), outcome(botocores(theirs.url), **GET)

    # What has a wrong checksum botocore hands out after the last attempt; it is believed by nobody here.
    if name != "another checksum":
        assert made == expected
    assert len(mine.calls) == len(theirs.calls)


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_tried_again_if_botocore_does(status: int, botocores: Callable[..., Any]) -> None:
    answer = Given(status, b"{}")
    with Scripted(answer) as mine, Scripted(answer) as theirs:
        assert outcome(ours(mine.url), **GET) == outcome(botocores(theirs.url), **GET)

    assert len(mine.calls) == len(theirs.calls)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_tried_again_if_botocore_does(code: str, botocores: Callable[..., Any]) -> None:
    put: dict[str, Any] = {"TableName": "t", "Item": {"pk": {"S": "1"}}}
    with Scripted(refusal(code)) as mine, Scripted(refusal(code)) as theirs:
        made = outcome(ours(mine.url), "put_item", **put)
        assert made == outcome(botocores(theirs.url), "put_item", **put)

    assert len(mine.calls) == len(theirs.calls)


def test_all_codes_that_botocore_tries_again_are_known() -> None:
    """The names in its code, and those that the models of our services mark."""
    marked = set()
    for service in ("dynamodb", "sqs", "secretsmanager"):
        model = session().get_service_model(service)
        marked |= {shape.name for shape in model.error_shapes if shape.metadata.get("retryable")}
    throttled = set(vars(standard.ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"])
    transient = set(vars(standard.TransientRetryableChecker)["_TRANSIENT_ERROR_CODES"])

    assert marked | throttled | transient == retries.THROTTLED | retries.TRANSIENT


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
@pytest.mark.parametrize("asked", [None, "0", "700", "90000", "soon", "-1"])
@pytest.mark.parametrize("attempt", [1, 2, 5, 9])
@pytest.mark.parametrize("jitter", [0.0, 0.4, 1.0])
def test_it_pauses_as_long_as_botocore(code: str, asked: str | None, attempt: int, jitter: float) -> None:
    headers = {"x-amz-retry-after": asked} if asked else {}
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500, "HTTPHeaders": headers}}
    context = standard.RetryContext(
        attempt_number=attempt,
        parsed_response=answer,
        http_response=SimpleNamespace(status_code=500, headers=headers),
        operation_model=session().get_service_model("dynamodb").operation_model("GetItem"),
    )
    backoff = standard.ExponentialBackoff(
        random=lambda: jitter,
        service_name="dynamodb",
        throttling_detector=standard.ThrottlingErrorDetector(standard.RetryEventAdapter()),
    )

    mine = retries.pause(ClientError(answer, "GetItem"), attempt, DYNAMODB.scale, jitter)

    assert mine == pytest.approx(backoff.delay_amount(context))


def test_an_answer_after_two_failures_is_the_answer_and_each_try_is_signed_anew() -> None:
    slept: list[float] = []
    with Scripted(refusal("ThrottlingException"), Given(503, b""), ANSWERS["an item"]) as aws:
        assert ours(aws.url, slept=slept).get_item(**GET) == {"Item": ITEM}

    assert len(aws.calls) == 3
    assert len(slept) == 2
    assert all(0 <= pause <= longest for pause, longest in zip(slept, (1, 0.05), strict=True))
    for call in aws.calls:
        signed_at = datetime.strptime(call["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs((datetime.now(UTC) - signed_at).total_seconds()) < 60
        assert call["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")


def test_when_nothing_succeeds_any_more_calls_are_made_once() -> None:
    slept: list[float] = []
    with Scripted(Given(500, b"")) as aws:
        client = ours(aws.url, slept=slept)
        calls = [outcome(client, **GET) for _ in range(40)]
        assert len(slept) == 500 // 14

        aws.answers = [Given()] * 20 + [Given(500, b""), Given()]
        for _ in range(21):
            client.get_item(**GET)

    assert len(calls) == 40
    assert len(slept) == 500 // 14 + 1


@pytest.mark.parametrize("protocol, service", [(SQS, "sqs"), (SECRETS_MANAGER, "secretsmanager")])
def test_it_asks_as_botocore_does(protocol: Spoken, service: str, botocores: Callable[..., Any]) -> None:
    call, asked = {
        "sqs": ("delete_message", {"QueueUrl": "https://sqs.example.org/1/q", "ReceiptHandle": "r"}),
        "secretsmanager": ("get_secret_value", {"SecretId": "s"}),
    }[service]
    with Scripted(Given()) as mine, Scripted(Given()) as theirs:
        getattr(ours(mine.url, protocol, service), call)(**asked)
        getattr(botocores(theirs.url, service), call)(**asked)

    for name in ("content-type", "x-amz-target"):
        assert mine.calls[0][name] == theirs.calls[0][name]
    assert mine.calls[0]["user-agent"] == USER_AGENT
    assert mine.calls[0].get("content-encoding") is None


@pytest.mark.parametrize(
    "header",
    [
        "AWS.SimpleQueueService.NonExistentQueue;Sender",
        "ReceiptHandleIsInvalid;Sender",
        "OnlyOnePart",
        ";Sender",
    ],
)
def test_sqs_names_errors_as_its_older_protocol_did(header: str, botocores: Callable[..., Any]) -> None:
    answer = refusal("QueueDoesNotExist", headers={"x-amzn-query-error": header})
    asked = {"QueueUrl": "https://sqs.example.org/1/q", "ReceiptHandle": "r"}
    with Scripted(answer) as mine, Scripted(answer) as theirs:
        made = outcome(ours(mine.url, SQS, "sqs"), "delete_message", **asked)
        assert made == outcome(botocores(theirs.url, "sqs"), "delete_message", **asked)


def test_where_nobody_listens_it_fails_as_botocore_does(botocores: Callable[..., Any]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert outcome(ours(url), **GET) == outcome(botocores(url), **GET)

    with (
        pytest.raises(StorageUnavailable, match=r"gave no answer \(EndpointConnectionError\)"),
        aws_errors("The table"),
    ):
        ours(url).get_item(**GET)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"Item": ', b"null"])
def test_what_is_no_json_object_is_no_answer(body: bytes) -> None:
    with (
        Scripted(Given(body=body)) as aws,
        pytest.raises(StorageUnavailable, match="gave no answer"),
        aws_errors("The table"),
    ):
        ours(aws.url).get_item(**GET)
    assert len(aws.calls) == 3


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    with Scripted(Given()) as aws:
        aws.socket = tls.wrap_socket(aws.socket, server_side=True)
        with pytest.raises(StorageUnavailable, match=r"gave no answer \(SSLError\)"), aws_errors("The table"):
            ours(aws.url.replace("http:", "https:")).get_item(**GET)
    assert aws.calls == []
