"""A secret that cannot be read is trouble that passes: no export may fail, or doubt its mail, because of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from memberships_export.adapters.aws import connections
from memberships_export.adapters.aws.secrets_manager import RotatingSecret
from memberships_export.domain.errors import StorageUnavailable
from rig.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient


class ScriptedSecrets(Stubber):
    """Answers for a client of Secrets Manager; `client` is the client itself."""

    client: "SecretsManagerClient"


@pytest.fixture
def secrets() -> Iterator[ScriptedSecrets]:
    with ScriptedSecrets(connections.Clients().secrets_manager) as script:
        yield script


@pytest.mark.parametrize(
    "code, advice",
    [
        ("AccessDeniedException", "allows this action"),
        ("DecryptionFailure", "encryption key"),
        ("InternalServiceError", "Health Dashboard"),
        ("InvalidParameterException", "scheduled for deletion"),
        ("InvalidRequestException", "scheduled for deletion"),
        ("ResourceNotFoundException", "its name"),
    ],
)
def test_every_refusal_names_the_secret_and_what_to_check(secrets: ScriptedSecrets, code: str, advice: str) -> None:
    secrets.add_client_error("get_secret_value", code, http_status_code=500 if code.startswith("Internal") else 400)

    with pytest.raises(StorageUnavailable, match=rf"Secret the-secret refused GetSecretValue with {code}\. .*{advice}"):
        RotatingSecret(lambda: secrets.client, "the-secret")()


@pytest.mark.parametrize("held", [{"SecretString": "short"}, {"SecretBinary": b"x" * 40}], ids=["short", "no text"])
def test_what_cannot_be_the_secret_is_not_taken_for_it(secrets: ScriptedSecrets, held: dict[str, Any]) -> None:
    secrets.add_response("get_secret_value", held)

    with pytest.raises(StorageUnavailable, match="at least 32 bytes"):
        RotatingSecret(lambda: secrets.client, "the-secret", least_bytes=32)()


def test_after_a_failed_read_the_next_call_reads_again(secrets: ScriptedSecrets) -> None:
    secrets.add_client_error("get_secret_value", "InvalidRequestException")
    secrets.add_response("get_secret_value", {"SecretString": "value"})
    secret = RotatingSecret(lambda: secrets.client, "the-secret")

    with pytest.raises(StorageUnavailable):
        secret()

    assert [secret(), secret()] == ["value", "value"]


def test_while_it_cannot_be_read_the_last_text_is_used(
    secrets: ScriptedSecrets, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secrets.add_response("get_secret_value", {"SecretString": "first"})
    secrets.add_client_error("get_secret_value", "InternalServiceError", http_status_code=500)
    secrets.add_response("get_secret_value", {"SecretString": "second"})
    secret = RotatingSecret(lambda: secrets.client, "the-secret")
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", -1.0)

    assert [secret(), secret(), secret()] == ["first", "first", "second"]
    assert "event=unavailable reason=Secret the-secret refused GetSecretValue" in caplog.text


def test_what_was_put_there_by_mistake_ends_the_use_of_the_last_text(
    secrets: ScriptedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.add_response("get_secret_value", {"SecretString": "x" * 32})
    secrets.add_response("get_secret_value", {"SecretString": "short"})
    secrets.add_client_error("get_secret_value", "InternalServiceError", http_status_code=500)
    secret = RotatingSecret(lambda: secrets.client, "the-secret", least_bytes=32)
    secret()
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", -1.0)

    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            secret()


def test_nobody_waits_for_another_threads_attempt_while_there_is_a_text(
    secrets: ScriptedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, goes_on = Event(), Event()
    secrets.add_response("get_secret_value", {"SecretString": "first"})
    secret = RotatingSecret(lambda: secrets.client, "the-secret")
    secret()
    secrets.add_response("get_secret_value", {"SecretString": "second"})
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", -1.0)

    def slow(**_: object) -> None:
        reading.set()
        assert goes_on.wait(PATIENCE_SECONDS)

    secrets.client.meta.events.register("before-parameter-build.secretsmanager.GetSecretValue", slow)
    with ThreadPoolExecutor(1) as threads:
        attempt = threads.submit(secret)
        assert reading.wait(PATIENCE_SECONDS)
        assert secret() == "first"
        goes_on.set()
        assert attempt.result() == "second"


def test_a_text_that_was_refused_is_read_anew_at_once(secrets: ScriptedSecrets) -> None:
    secrets.add_response("get_secret_value", {"SecretString": "old"})
    secrets.add_response("get_secret_value", {"SecretString": "new"})
    secret = RotatingSecret(lambda: secrets.client, "the-secret")

    assert secret() == "old"
    assert secret.anew("old") == "new"
    assert secret() == "new"


def test_it_is_read_anew_once_for_all_that_were_refused_with_it(secrets: ScriptedSecrets) -> None:
    secrets.add_response("get_secret_value", {"SecretString": "old"})
    secrets.add_response("get_secret_value", {"SecretString": "new"})
    secret = RotatingSecret(lambda: secrets.client, "the-secret")
    secret()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(secret.anew, ["old"] * 8)) == {"new"}


def test_when_it_cannot_be_read_anew_the_last_text_is_what_there_is(secrets: ScriptedSecrets) -> None:
    secrets.add_response("get_secret_value", {"SecretString": "old"})
    secrets.add_client_error("get_secret_value", "InternalServiceError", http_status_code=500)
    secret = RotatingSecret(lambda: secrets.client, "the-secret")
    secret()

    assert secret.anew("old") == "old"
