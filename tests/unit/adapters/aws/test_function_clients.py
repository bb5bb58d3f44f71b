"""Which clients a function gets, and that they go where botocore's go."""

import os
from typing import Any

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session

from memberships_export.adapters.aws.connections import Clients
from memberships_export.adapters.aws.function_clients import (
    DYNAMODB,
    LEFT_TO_BOTOCORE,
    SECRETS_MANAGER,
    SQS,
    FunctionClients,
    domain_of,
    function_clients,
)

GIVEN = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "eu-central-1"}
SERVICES = {"dynamodb": DYNAMODB, "sqs": SQS, "secretsmanager": SECRETS_MANAGER}
# What botocore reads and our clients need not: about S3 and STS, the metadata of machines, or set in our own code.
OF_NO_CONCERN = {
    "AWS_CSM_CLIENT_ID",
    "AWS_CSM_ENABLED",
    "AWS_CSM_HOST",
    "AWS_CSM_PORT",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_HOST_PREFIX_INJECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_IMDS_USE_IPV6",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_SDK_UA_APP_ID",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "BOTOCORE_TCP_KEEPALIVE",
}


def hosts(clients: Any) -> list[str]:  # noqa: ANN401  (either kind of them)
    return [client._url.geturl() for client in (clients.dynamodb, clients.sqs, clients.secrets_manager)]  # noqa: SLF001


def test_what_lambda_gives_is_enough_for_the_quick_clients() -> None:
    assert isinstance(function_clients({**GIVEN, "AWS_SESSION_TOKEN": "token"}), FunctionClients)


@pytest.mark.parametrize(
    "more",
    [
        *({name: "x"} for name in sorted(LEFT_TO_BOTOCORE)),
        {"AWS_DEFAULT_REGION": "us-isob-east-1"},
        {"AWS_DEFAULT_REGION": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/aws"},
        {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:4566/aws"},
    ],
)
def test_whoever_asks_for_more_gets_botocores(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    assert isinstance(function_clients({**GIVEN, **more}), Clients)


def test_each_variable_that_botocore_reads_is_left_to_it_or_of_no_concern() -> None:
    named = [names for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() if names]
    read = {name for names in named for name in ([names] if isinstance(names, str) else names)}
    read = {name for name in read if not name.startswith("AWS_S3_")}

    assert read - OF_NO_CONCERN == LEFT_TO_BOTOCORE - {"AWS_CREDENTIAL_EXPIRATION"}
    assert read >= OF_NO_CONCERN


@pytest.mark.parametrize("service", SERVICES)
def test_it_speaks_to_a_service_as_the_model_of_botocore_says(service: str) -> None:
    metadata = Session().get_service_model(service).metadata

    assert SERVICES[service].version == metadata["jsonVersion"]
    assert SERVICES[service].target == metadata["targetPrefix"]
    assert metadata.get("signingName", metadata["endpointPrefix"]) == service


def test_in_each_region_it_goes_where_botocore_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    session, known = Session(), 0
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("sqs", partition):
            if domain_of(region) is None:
                continue
            known += 1
            clients = function_clients({**GIVEN, "AWS_DEFAULT_REGION": region})
            made = [session.create_client(name, region_name=region) for name in SERVICES]
            assert hosts(clients) == [client.meta.endpoint_url for client in made]
    assert known > 30


@pytest.mark.parametrize(
    "given",
    [
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2"},
        {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:3", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:4"},
    ],
)
def test_a_url_of_the_environment_leads_elsewhere(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**GIVEN, **given}
    for name in ("AWS_ENDPOINT_URL", *os.environ.keys() & environ.keys()):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    made = [Session().create_client(name) for name in SERVICES]

    assert hosts(function_clients(environ)) == [client.meta.endpoint_url for client in made]


@pytest.mark.parametrize(
    "more, token",
    [({}, None), ({"AWS_SESSION_TOKEN": "t"}, "t"), ({"AWS_SECURITY_TOKEN": "older name"}, "older name")],
)
def test_it_signs_with_the_credentials_of_the_environment(more: dict[str, str], token: str | None) -> None:
    client: Any = function_clients({**GIVEN, **more}).dynamodb

    signer = client._signer  # noqa: SLF001  (it shows them nowhere)
    assert (signer.access_key, signer.secret_key, signer.token) == ("id", "key", token)
    assert (signer.region, signer.service) == ("eu-central-1", "dynamodb")


def test_what_no_function_asks_for_is_made_by_botocore() -> None:
    clients = function_clients(GIVEN)

    url = clients.s3_signer.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    assert "X-Amz-Signature=" in url
    assert clients.sts.get_caller_identity()["Arn"]
