"""Secrets from Secrets Manager, read when needed and kept for a short time, so that they can be rotated."""

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_secretsmanager.client import SecretsManagerClient

_KEPT_SECONDS = 60.0
_STATE = "Check that it has a value and is not scheduled for deletion."


class RotatingSecret:
    """A secret's text, by calling it. A rotated one is noticed within a minute, also by a warm function."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", secret_id: str, least_bytes: int = 1) -> None:
        """`client`: makes the client with the first read. `least_bytes`: a shorter text is not the secret."""
        self._client = client
        self._secret_id = secret_id
        self._least_bytes = least_bytes
        self._value = ""
        self._read_at = float("-inf")
        self._lock = Lock()

    def __call__(self) -> str:
        """Return the text. Raises StorageUnavailable naming the secret."""
        with self._lock:
            if monotonic() - self._read_at > _KEPT_SECONDS:
                self._value = self._read()
                self._read_at = monotonic()
            return self._value

    def _read(self) -> str:
        with aws_errors(f"Secret {self._secret_id}", otherwise=_STATE):
            found = self._client().get_secret_value(SecretId=self._secret_id).get("SecretString", "")
        if len(found.encode()) < self._least_bytes:
            reason = f"Secret {self._secret_id} holds no text of at least {self._least_bytes} bytes: put one in."
            raise StorageUnavailable(reason)
        return found
