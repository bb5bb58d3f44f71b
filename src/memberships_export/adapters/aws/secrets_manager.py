"""Secrets from Secrets Manager, read when needed and kept for a short time, so that they can be rotated."""

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from memberships_export.adapters.aws.aws_errors import aws_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_secretsmanager.client import SecretsManagerClient

_KEPT_SECONDS = 60.0


class RotatingSecret:
    """A secret's text, by calling it. A rotated one is noticed within a minute, also by a warm function."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", secret_id: str) -> None:
        """`client`: makes the client with the first read; most starts of a function need none."""
        self._client = client
        self._secret_id = secret_id
        self._value = ""
        self._read_at = float("-inf")
        self._lock = Lock()

    def __call__(self) -> str:
        """Return the text. Raises StorageUnavailable naming the secret."""
        with self._lock:
            if monotonic() - self._read_at > _KEPT_SECONDS:
                with aws_errors(f"Secret {self._secret_id}"):
                    self._value = self._client().get_secret_value(SecretId=self._secret_id)["SecretString"]
                self._read_at = monotonic()
            return self._value
