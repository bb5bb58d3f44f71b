"""How clients are made: not before they are needed, and with the credentials that botocore would find."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.session import Session

from memberships_export.adapters.aws import connections

Given = dict[str, str]
MANY = 8


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the services that clients are made for from here on."""
    services, create = list[str](), Session.create_client

    def watched(self: Session, service_name: str, *arguments: Any, **options: Any) -> object:  # noqa: ANN401
        services.append(service_name)
        return create(self, service_name, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", watched)
    return services


def test_a_client_for_sqs_is_made_with_its_first_call(made: list[str]) -> None:
    sqs = connections.Clients().sqs
    assert made == []

    assert [sqs.meta.service_model.service_name, sqs.meta.service_model.service_name, *made] == ["sqs", "sqs", "sqs"]


def test_threads_that_call_it_at_once_share_one_client(made: list[str]) -> None:
    sqs, together = connections.Clients().sqs, Barrier(MANY)

    def called(_number: int) -> object:
        together.wait()
        return sqs.meta

    with ThreadPoolExecutor(MANY) as threads:
        metas = list(threads.map(called, range(MANY)))

    assert made == ["sqs"]
    assert all(meta is metas[0] for meta in metas)


@pytest.mark.parametrize(
    "given",
    [
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"},
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token"},
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SECURITY_TOKEN": "older name"},
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_ACCOUNT_ID": "123456789012"},
        {
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "key",
            "AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z",
        },
    ],
)
def test_credentials_of_the_environment_are_those_that_botocore_finds(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(given, monkeypatch)
    ours, botocores = connections.Clients().dynamodb, Session().create_client("dynamodb")

    assert _credentials(ours) == _credentials(botocores)


def test_nobody_is_asked_for_credentials_that_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _only({"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("It makes what would ask for credentials elsewhere.")

    monkeypatch.setattr(Session, "_create_credential_resolver", refuse)

    assert connections.Clients().dynamodb.meta.service_model.service_name == "dynamodb"


def _only(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "SECURITY_TOKEN",
        "ACCOUNT_ID",
        "CREDENTIAL_EXPIRATION",
    ):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def _credentials(client: Any) -> tuple[str | None, ...]:  # noqa: ANN401  (its class is made at run time)
    found = client._get_credentials()  # noqa: SLF001  (botocore shows them nowhere else)
    return found.access_key, found.secret_key, found.token, found.account_id
