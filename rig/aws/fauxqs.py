"""A second SQS on loopback, by others than moto: a receipt is stale there as soon as it is on AWS, or sooner."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from infra.node import node
from memberships_export.ports import Clock
from rig.aws.lambda_runtime import REGION
from rig.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

PROGRAM: Final = Path(__file__).with_suffix(".mjs")
_INSTALLED: Final = Path(__file__).parents[1] / "node_modules" / "fauxqs"


@contextmanager
def running_fauxqs() -> Iterator[str]:
    """Run it, and give its URL."""
    assert _INSTALLED.exists(), "fauxqs is not installed: run make install-rig"
    with subprocess.Popen([node(), PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def client_of(url: str, clock: Clock) -> "SQSClient":
    """Return a client whose calls are made at the time of this clock."""
    client: SQSClient = boto3.client(
        "sqs", endpoint_url=url, region_name=REGION, aws_access_key_id="rig", aws_secret_access_key="testing"
    )

    def tell_time(request: Any, **_: object) -> None:  # noqa: ANN401  (botocore's own type)
        request.headers["X-Now"] = str(int(clock().timestamp() * 1000))

    client.meta.events.register("before-send.sqs", tell_time)
    return client
