"""Secrets from Secrets Manager, read when needed and kept for a short time, so that they can be rotated."""

import logging
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_secretsmanager.client import SecretsManagerClient

log = logging.getLogger(__name__)
_KEPT_SECONDS = 60.0
_STATE = "Check that it has a value and is not scheduled for deletion."


class RotatingSecret:
    """A secret's text, by calling it. A rotated one is noticed within a minute, also by a warm function.

    While it cannot be read, the text that was read last is still used; nobody waits for another thread's attempt.
    """

    def __init__(self, client: "Callable[[], SecretsManagerClient]", secret_id: str, least_bytes: int = 1) -> None:
        """`client`: makes the client with the first read. `least_bytes`: a shorter text is not the secret."""
        self._client = client
        self._secret_id = secret_id
        self._least_bytes = least_bytes
        self._value = ""
        self._tried_at = float("-inf")
        self._lock = Lock()

    def __call__(self) -> str:
        """Return the text. Raises StorageUnavailable naming the secret, when there is none yet."""
        if self._is_fresh() or not self._lock.acquire(blocking=not self._value):
            return self._value
        try:
            if not self._is_fresh():
                self._refresh()
        finally:
            self._lock.release()
        return self._value

    def anew(self, refused: str) -> str:
        """Return the text as it is now: `refused` was not accepted. It is read only if nobody did so meanwhile."""
        with self._lock:
            if self._value == refused:
                self._refresh()
        return self._value

    def _is_fresh(self) -> bool:
        return bool(self._value) and monotonic() - self._tried_at <= _KEPT_SECONDS

    def _refresh(self) -> None:
        try:
            found = self._read()
        except StorageUnavailable as error:
            if not self._value:
                raise
            log.warning("event=unavailable reason=%s The text that was read last is used.", error.reason)
        else:
            self._value = self._checked(found)
        self._tried_at = monotonic()

    def _read(self) -> str:
        with aws_errors(f"Secret {self._secret_id}", otherwise=_STATE):
            return self._client().get_secret_value(SecretId=self._secret_id).get("SecretString", "")

    def _checked(self, text: str) -> str:
        """Refuse a text that was put there by mistake: what was there before is not meant to be used any more."""
        if len(text.encode()) < self._least_bytes:
            self._value = ""
            reason = f"Secret {self._secret_id} holds no text of at least {self._least_bytes} bytes: put one in."
            raise StorageUnavailable(reason)
        return text
