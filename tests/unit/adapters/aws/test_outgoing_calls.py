"""Calls to AWS go straight to it and say who is calling, like all others."""

import sys
from collections.abc import Iterator
from subprocess import run

import pytest

from memberships_export.adapters.aws import connections
from memberships_export.version import USER_AGENT
from rig.loopback import LoopbackHandler, LoopbackServer

# In a process of its own: what obstore is built on looks at the environment once.
_CALLS = """
import contextlib
import os
import obstore
from memberships_export.adapters.aws import connections, function_clients, s3_store

of_a_function = {name: value for name, value in os.environ.items() if name not in function_clients.LEFT_TO_BOTOCORE}
for clients in (connections.Clients(), function_clients.function_clients(of_a_function)):
    with contextlib.suppress(Exception):
        clients.sqs.get_queue_url(QueueName="q")
with contextlib.suppress(Exception):
    obstore.get(s3_store.s3_store(s3_store.BucketSettings(name="bucket", region="eu-central-1")), "key")
"""


class _Aws(LoopbackServer):
    def __init__(self) -> None:
        self.agents: list[str] = []
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    server: _Aws

    def do_GET(self) -> None:
        self.server.agents.append(self.headers["User-Agent"])
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Aws]:
    with _Aws() as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, server.url)
            monkeypatch.setenv(name.upper(), server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_aws_is_called_without_a_proxy_and_with_our_name(proxy: _Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    with _Aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        run([sys.executable, "-c", _CALLS], check=True)
    assert proxy.accepted == 0
    sqs, of_a_function, s3 = aws.agents
    assert sqs.startswith("Botocore/")
    assert sqs.endswith(USER_AGENT)
    assert of_a_function == s3 == USER_AGENT


def test_a_client_keeps_a_connection_for_each_thread_that_a_process_may_have() -> None:
    clients = connections.Clients()
    for client in (clients.sqs, clients.dynamodb, clients.secrets_manager):
        assert vars(client.meta.config)["_user_provided_options"]["max_pool_connections"] >= 64 + 8 + 40
