"""Clients of the AWS services, with limits on how long and how often they try.

Credentials, region and endpoints come from where AWS's own tools look for them: a role, or the AWS_* variables.
Proxies do not: no outgoing call of this service uses one. The clients are those that boto3 gives; made by botocore
itself they start a process sooner. A function has others, which start sooner still: function_clients.py.
"""

from collections.abc import Callable
from functools import cache, cached_property, partial
from os import environ
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.credentials import EnvProvider
from botocore.session import Session

from memberships_export.version import USER_AGENT

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_s3.client import S3Client
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sqs.client import SQSClient

    from memberships_export.adapters.aws.caller import Sts

_CONNECT_SECONDS = 2
_ATTEMPTS = 3
_CONNECTIONS = 128  # kept for each client: more than a process has threads (64 workers, 8 of a sweep, 40 of the API)
_LONG_POLL_SECONDS = 20  # a receive answers that late when there is nothing


class Clients:
    """The clients of one process, each made when it is first asked for. They share one look at the environment."""

    def __init__(self) -> None:
        """`region` is where the environment says that the resources are; None when it does not say."""
        self._session = Session()
        self._making = Lock()  # a session makes one client at a time
        _take_credentials(self._session)
        # For the clients that botocore makes for itself too, such as one that asks for credentials.
        self._session.set_default_client_config(Config(proxies={}, user_agent_extra=USER_AGENT))
        self.region: str | None = self._session.get_config_variable("region")

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client for SQS. It waits five seconds longer than a long poll may take.

        Made with its first call: a function whose exports need no other stage, and have no trouble, calls it never.
        """
        config = _limits(read_seconds=_LONG_POLL_SECONDS + 5)
        return cast("SQSClient", _MadeLate(partial(self._make, "sqs", config)))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The client for DynamoDB. It waits five seconds for an answer."""
        client: DynamoDBClient = self._make("dynamodb", _limits(read_seconds=5))
        return client

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """The client for Secrets Manager. It waits five seconds for an answer."""
        client: SecretsManagerClient = self._make("secretsmanager", _limits(read_seconds=5))
        return client

    @cached_property
    def sts(self) -> "Sts":
        """The client that tells whose credentials these are. It waits five seconds for an answer."""
        client: Sts = self._make("sts", _limits(read_seconds=5))
        return client

    @cached_property
    def s3_signer(self) -> "S3Client":
        """The client that signs download URLs. Signing calls nobody."""
        # Without "virtual" the URL names the global host, which sends new buckets' visitors elsewhere: the signature,
        # which covers the host, is then wrong.
        config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        client: S3Client = self._make("s3", config)
        return client

    def _make(self, service: str, config: Config) -> Any:  # noqa: ANN401  (its class is made at run time)
        with self._making:
            return self._session.create_client(service, region_name=self.region, config=config)


class _MadeLate:
    """Stands for a client until it is first called."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._client = cache(make)
        self._making = Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the client has)
        with self._making:
            client = self._client()
        return getattr(client, name)


def _take_credentials(session: Session) -> None:
    """Take what stands in the environment for good, as for a function: the same as botocore takes in the end.

    Before it looks there it makes what would ask the other places, and that takes as long as a client does.
    """
    if environ.get("AWS_CREDENTIAL_EXPIRATION") or not environ.get("AWS_SECRET_ACCESS_KEY"):
        return
    if given := EnvProvider().load():
        session.set_credentials(given.access_key, given.secret_key, given.token, environ.get("AWS_ACCOUNT_ID"))


def _limits(*, read_seconds: int) -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        max_pool_connections=_CONNECTIONS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
