"""AWS on loopback: moto over real HTTP, with one call after the other and a clock that tests can set."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from threading import Lock, Thread, local
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs import models as moto_sqs
from werkzeug.serving import make_server

from memberships_export.adapters.aws import connections
from memberships_export.adapters.aws.function_clients import function_clients
from memberships_export.adapters.aws.s3_files import S3Files
from memberships_export.adapters.aws.s3_store import BucketSettings, s3_store
from memberships_export.ports import Clock
from rig.aws import message_move
from rig.aws.aws_faults import Application, Faults
from rig.aws.aws_permissions import RIG, Needed, needed_by
from rig.aws.queue_pair import QueuePair, new_queues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obstore.store import S3Store
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sqs.client import SQSClient

REGION: Final = "eu-west-1"
_wait_for_messages = moto_sqs.Queue.wait_for_messages  # replaced where time stands still: see `sqs_time`
_this_call = local()  # `lock`: of the AWS that is called in this thread
_LOOKS: Final = ("Get", "List", "Query", "Receive", "S3 GET", "S3 HEAD", "S3 List")


@dataclass
class FakeAws:
    """A running moto. `calls` is what was asked of it, oldest first, by name; `faults` is what goes wrong next."""

    url: str
    calls: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    needed: list[Needed] = field(default_factory=list)  # permissions, oldest first

    def __post_init__(self) -> None:
        self.sqs: SQSClient = connections.Clients().sqs
        self.dynamodb: DynamoDBClient = connections.Clients().dynamodb
        self.s3: S3Client = boto3.client("s3", region_name=REGION)

    @property
    def changes(self) -> int:
        """How many calls changed something: what is only looked at, again and again, is no progress."""
        return sum(not name.startswith(_LOOKS) for name in self.calls)

    @property
    def variables(self) -> dict[str, str]:
        """The variables that lead another process here."""
        return variables_for(self.url)

    @property
    def as_function(self) -> "FakeAws":
        """The same, called as a Lambda function calls it."""
        clients, same = function_clients(self.variables), copy(self)
        same.sqs, same.dynamodb = clients.sqs, clients.dynamodb
        return same

    def forget_everything(self) -> None:
        """Empty the account. All that run in this process share one: the names of an earlier stack are taken."""
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST")):  # noqa: S310  (loopback)
            pass

    def new_table(self) -> str:
        """Make an empty table with its indexes, as the deployment does."""
        name = f"exports-{uuid4().hex}"
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "userId", "AttributeType": "S"},
                {"AttributeName": "requestedAt", "AttributeType": "S"},
                {"AttributeName": "wakePartition", "AttributeType": "S"},
                {"AttributeName": "wakeAt", "AttributeType": "N"},
                {"AttributeName": "addressHash", "AttributeType": "S"},
            ],
            GlobalSecondaryIndexes=[
                _index("by-user", "userId", "requestedAt"),
                _index("by-wake", "wakePartition", "wakeAt"),
                _index("by-address", "addressHash", "requestedAt"),
            ],
        )
        return name

    def new_queues(self, visibility_seconds: int = 30, max_receives: int = 3) -> QueuePair:
        """Make a queue with a dead letter queue."""
        return new_queues(self.sqs, visibility_seconds, max_receives)

    def messages_in(self, url: str) -> int:
        """Count the messages of a queue, hidden ones included.

        moto counts one kind after the other: what becomes visible in between is in neither, so none is counted again.
        """
        return self._counted(url) or self._counted(url)

    def _counted(self, url: str) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(answer[name]) for name in names)

    def show_hidden(self, url: str) -> None:
        """Let the time be over for which the messages of a queue are hidden."""
        queue = moto_sqs.sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[url.rsplit("/", 1)[1]]
        for message in list(queue._messages):  # noqa: SLF001  (`messages` are the visible ones)
            message.visible_at = 0.0

    def new_bucket(self) -> BucketSettings:
        """Make an empty bucket."""
        name = f"files-{uuid4().hex}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return BucketSettings(name=name, region=REGION)

    def files(self, bucket: BucketSettings, store: "S3Store | None" = None) -> S3Files:
        """Open a bucket as another worker would: with nothing in memory."""
        return S3Files(store or s3_store(bucket), bucket.name, lambda: connections.Clients().s3_signer)


def _index(name: str, key: str, sort: str) -> Any:  # noqa: ANN401  (one of the arguments of CreateTable)
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


class _OneAfterTheOther:
    """moto checks a condition and writes in two steps, without a lock: AWS does not let another call in between.

    A long poll lets the others in while it waits, or the polls of a few workers would hold up each other and the rest.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = Lock()
        self.calls: list[str] = []
        self.faults = Faults()
        self.needed: list[Needed] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> "Iterable[bytes]":  # noqa: ANN401  (WSGI)
        name = _name(environ)
        self.faults.wait(name, environ)
        with self._lock:
            _this_call.lock = self._lock
            self.calls.append(name)
            self.needed += needed_by(environ)
            fault = self.faults.take(name, environ)
            if fault:
                return fault.answer(self._application, environ, start_response)
            if name not in message_move.CALLS:
                return list(self._application(environ, start_response))
        return message_move.answer(name, environ, start_response)


def _let_others_in(queue: moto_sqs.Queue, seconds: int) -> None:
    """Wait as moto's queue does, in the middle of a call, but without keeping all others out."""
    _this_call.lock.release()
    try:
        _wait_for_messages(queue, seconds)
    finally:
        _this_call.lock.acquire()


def _name(environ: Mapping[str, Any]) -> str:
    """Name a call: the operation for JSON services, verb and kind of path for S3."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rsplit(".", maxsplit=1)[-1]
    query = environ.get("QUERY_STRING", "")
    names = {"list-type": "List", "delete": "DeleteObjects", "uploads": "CreateMultipartUpload"}
    return "S3 " + next((name for part, name in names.items() if part in query), environ["REQUEST_METHOD"])


@contextmanager
def running_aws() -> Iterator[FakeAws]:
    """Run moto on a free port of loopback. Whatever AWS settings this machine has are out of sight meanwhile."""
    application = _OneAfterTheOther(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.01,), name="moto", daemon=True)
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as environment:
        _only_this(environment, variables_for(url))
        # For good, and not until the end of this block: another may have begun meanwhile and go on.
        moto_sqs.Queue.wait_for_messages = _let_others_in  # type: ignore[assignment,method-assign]
        thread.start()
        try:
            yield FakeAws(url, application.calls, application.faults, application.needed)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Quiet(MotoRequestHandler):
    def log(self, *args: Any) -> None:  # noqa: ANN401  (werkzeug's signature)
        """Write no access log."""


def variables_for(url: str) -> dict[str, str]:
    """Return the variables that lead a process to the AWS at this URL."""
    return {
        "AWS_ACCESS_KEY_ID": RIG,
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",  # read by obstore; loopback has no certificate
    }


def _only_this(environment: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        environment.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment.setenv(name, os.devnull)
    for name, value in variables.items():
        environment.setenv(name, value)


@contextmanager
def sqs_time(clock: Clock) -> Iterator[None]:
    """Let moto's SQS live by this clock, though no two of its moments are quite the same.

    Without that a message would still be hidden at the very moment its timeout ends. For the end of
    a long poll, every look at the clock is more than half a second later than the last: else it would never come.
    """
    readings = count()
    with pytest.MonkeyPatch.context() as moto:
        moto.setattr(moto_sqs, "unix_time", lambda: clock().timestamp() + 0.6 * next(readings))
        moto.setattr(f"{__name__}._wait_for_messages", lambda *_: None)
        moto.setattr(moto_sqs, "unix_time_millis", lambda: clock().timestamp() * 1000 + next(readings) / 1000)
        yield
