"""An authorization server for client credentials (RFC 6749 4.4): counts what it gives, and takes tokens back.

In a test:      with FakeOAuth2() as server: ... server.url, server.given, server.accepts("Bearer token-1")
"""

import base64
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus

from rig.services.recording_api import RecordingApi, Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT, SECRET = "club", "the client secret/+&=:ü"


class FakeOAuth2(RecordingApi):
    """Gives token-1, token-2 and so on. `script`: what the next calls get instead; None is a token."""

    def __init__(self, *script: Reply | None, secret: str = SECRET, **answer: Any) -> None:  # noqa: ANN401
        super().__init__(self._token)
        self.script = list(script)
        self.secret = secret
        self.given = 0
        self.good: set[str] = set()
        self.before: Callable[[], object] = lambda: None  # called before each answer
        self._answer = {"token_type": "Bearer", "expires_in": 3600} | answer
        self._giving = threading.Lock()

    def accepts(self, authorization: str | None) -> bool:
        """Tell whether an API that trusts this server would take this header."""
        return (authorization or "").removeprefix("Bearer ") in self.good

    def take_back(self) -> None:
        """End all tokens that were given."""
        self.good.clear()

    def _token(self, seen: Seen) -> Reply:
        self.before()
        with self._giving:
            if self.script and (reply := self.script.pop(0)):
                return reply
            form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
            if form.get("grant_type") != "client_credentials" or _shown(seen, form) != (CLIENT, self.secret):
                return Reply(b'{"error": "invalid_client", "error_description": "canary"}', 401)
            self.given += 1
            token = f"token-{self.given}"
            self.good.add(token)
            return Reply(json.dumps({"access_token": token} | self._answer).encode())


def _shown(seen: Seen, form: dict[str, str]) -> tuple[str | None, str | None]:
    authorization = seen.header("Authorization")
    if authorization is None:
        return form.get("client_id"), form.get("client_secret")
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)
