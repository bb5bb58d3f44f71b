import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from memberships_export.adapters.aws import connections
from rig.aws.fake_aws import FakeAws

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_sqs.client import SQSClient


class ScriptedSqs(Stubber):
    """Answers for a client of SQS; `client` is the client itself."""

    client: "SQSClient"


class ScriptedDynamoDb(Stubber):
    """Answers for a client of DynamoDB; `client` is the client itself."""

    client: "DynamoDBClient"


@pytest.fixture(autouse=True)
def _no_aws_but_the_fake(aws: FakeAws) -> None:
    """Hide this machine's AWS settings from tests that do not ask for the fake, too."""


@pytest.fixture
def sqs() -> Iterator[ScriptedSqs]:
    script = ScriptedSqs(connections.Clients().sqs)
    with script:
        yield script
    script.assert_no_pending_responses()


@pytest.fixture
def dynamodb() -> Iterator[ScriptedDynamoDb]:
    script = ScriptedDynamoDb(connections.Clients().dynamodb)
    with script:
        yield script
    script.assert_no_pending_responses()


@pytest.fixture
def unused_tcp_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
