"""The clients of a Lambda function, which start without botocore's: a function calls three services, by a few methods.

What a function has by itself is enough for them: credentials and a region in the environment. Whoever says more about
AWS there, such as a profile, a bundle of certificates or another kind of endpoint, gets botocore's clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import SplitResult, urlsplit

from memberships_export.adapters.aws import json_client
from memberships_export.adapters.aws.signature import Signer

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_s3.client import S3Client
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sqs.client import SQSClient

    from memberships_export.adapters.aws.caller import Sts

DYNAMODB = json_client.Spoken(version="1.0", target="DynamoDB_20120810", scale=0.025)
SQS = json_client.Spoken(version="1.0", target="AmazonSQS")
SECRETS_MANAGER = json_client.Spoken(version="1.1", target="secretsmanager")
# Variables by which botocore would make other clients than ours.
LEFT_TO_BOTOCORE = frozenset(
    {
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_AUTH_SCHEME_PREFERENCE",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DATA_PATH",
        "AWS_DEFAULT_PROFILE",
        "AWS_ENDPOINT_DISCOVERY_ENABLED",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
    }
)
_CONTINENTS = frozenset({"af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"})


class AwsClients(Protocol):
    """The clients of one process, each made when it is first asked for."""

    region: str | None

    @property
    def sqs(self) -> "SQSClient":
        """The client for SQS."""
        ...

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """The client for DynamoDB."""
        ...

    @property
    def secrets_manager(self) -> "SecretsManagerClient":
        """The client for Secrets Manager."""
        ...

    @property
    def sts(self) -> "Sts":
        """The client that tells whose credentials these are."""
        ...

    @property
    def s3_signer(self) -> "S3Client":
        """The client that signs download URLs."""
        ...


def function_clients(environ: Mapping[str, str]) -> AwsClients:
    """Return the quick clients, or botocore's where the environment asks for what only those can."""
    region, names = environ.get("AWS_DEFAULT_REGION", ""), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    told = {name for name in LEFT_TO_BOTOCORE if environ.get(name)}
    endpoints = Endpoints(region, environ)
    if told or not all(map(environ.get, names)) or not endpoints.known:
        return botocore_clients()
    return FunctionClients(region, endpoints, environ)


def botocore_clients() -> AwsClients:
    """Return clients that look for all they need where AWS's own tools do."""
    from memberships_export.adapters.aws.connections import Clients  # noqa: PLC0415  (loading it is what takes long)

    return Clients()


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the services of a region are. AWS_ENDPOINT_URL leads elsewhere, and with a service's name only for that."""

    region: str
    environ: Mapping[str, str]

    @property
    def known(self) -> bool:
        """Whether this is a region of the public parts of AWS, and no URL has a path."""
        given = (url for name, url in self.environ.items() if name.startswith("AWS_ENDPOINT_URL"))
        return bool(domain_of(self.region)) and not any(urlsplit(url).path.rstrip("/") for url in given)

    def url(self, name: str, variable: str) -> SplitResult:
        """Return the URL of a service. `name`: in its host; `variable`: what ends the variable for it alone."""
        given = self.environ.get(f"AWS_ENDPOINT_URL_{variable}") or self.environ.get("AWS_ENDPOINT_URL")
        return urlsplit(given or f"https://{name}.{self.region}.{domain_of(self.region)}")


def domain_of(region: str) -> str | None:
    """Return the domain of a region's services; None where only botocore knows it."""
    match region.split("-"):
        case ["us", "gov", _, _]:
            return "amazonaws.com"
        case ["cn", _, _]:
            return "amazonaws.com.cn"
        case [continent, _, _] if continent in _CONTINENTS:
            return "amazonaws.com"
    return None


class FunctionClients:
    """AwsClients over calls of our own. What no function asks for is made by botocore."""

    def __init__(self, region: str, endpoints: Endpoints, environ: Mapping[str, str]) -> None:
        """`environ`: has credentials that are good as long as the process lives, as Lambda gives them."""
        self.region: str | None = region
        self._endpoints = endpoints
        self._environ = environ

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client for SQS. No function waits for messages: Lambda does."""
        return cast("SQSClient", self._client(SQS, "sqs", "SQS"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The client for DynamoDB."""
        return cast("DynamoDBClient", self._client(DYNAMODB, "dynamodb", "DYNAMODB"))

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """The client for Secrets Manager."""
        made = self._client(SECRETS_MANAGER, "secretsmanager", "SECRETS_MANAGER")
        return cast("SecretsManagerClient", made)

    @cached_property
    def _others(self) -> AwsClients:
        return botocore_clients()

    @property
    def sts(self) -> "Sts":
        """The client that tells whose credentials these are."""
        return self._others.sts

    @property
    def s3_signer(self) -> "S3Client":
        """The client that signs download URLs."""
        return self._others.s3_signer

    def _client(self, protocol: json_client.Spoken, name: str, variable: str) -> json_client.JsonClient:
        environ = self._environ
        signer = Signer(
            access_key=environ["AWS_ACCESS_KEY_ID"],
            secret_key=environ["AWS_SECRET_ACCESS_KEY"],
            token=environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN"),
            region=self.region or "",
            service=name,
        )
        return json_client.JsonClient(protocol, self._endpoints.url(name, variable), signer, read_seconds=5)
