"""An identity provider that answers about tokens: introspection (RFC 7662), userinfo, and a load balancer's keys.

In a test:      with FakeIdentityProvider() as provider: provider.tokens["opaque"] = {"active": True, ...}
"""

import base64
import json
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus

from rig.services.recording_api import RecordingApi, Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_ID, CLIENT_SECRET = "exports", "the client's secret/+&=:ü"
JSON = (("Content-Type", "application/json;charset=UTF-8"),)


class FakeIdentityProvider(RecordingApi):
    """`tokens`: what introspection says of each; `users`: what userinfo does; `keys`: PEM by key id.

    `instead` is answered to everything while it is set; while `gate` is not set, nothing is.
    """

    def __init__(self) -> None:
        super().__init__(self._answered)
        self.tokens: dict[str, Mapping[str, Any]] = {}
        self.users: dict[str, Mapping[str, Any]] = {}
        self.keys: dict[str, bytes] = {}
        self.instead: Reply | None = None
        self.begun = threading.Semaphore(0)  # one more with each request
        self.gate = threading.Event()
        self.gate.set()
        self.introspection_url, self.userinfo_url = f"{self.url}/introspect", f"{self.url}/userinfo"
        self.keys_url = f"{self.url}/keys"

    def __exit__(self, *_: object) -> None:
        """Answer who still waits, and stop."""
        self.gate.set()
        super().__exit__()

    def _answered(self, seen: Seen) -> Reply:
        self.begun.release()
        self.gate.wait()
        if self.instead:
            return self.instead
        if seen.target.startswith("/keys/"):
            key = self.keys.get(seen.target.removeprefix("/keys/"))
            return Reply(b"not here", HTTPStatus.NOT_FOUND) if key is None else Reply(key)
        return self._introspected(seen) if seen.target == "/introspect" else self._userinfo(seen)

    def _introspected(self, seen: Seen) -> Reply:
        name, _, secret = base64.b64decode((seen.header("Authorization") or "").removeprefix("Basic ")).partition(b":")
        if (unquote_plus(name.decode()), unquote_plus(secret.decode())) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(b'{"error": "invalid_client"}', HTTPStatus.UNAUTHORIZED, JSON)
        token = parse_qs(seen.body.decode())["token"][0]
        return answer(self.tokens.get(token, {"active": False}))

    def _userinfo(self, seen: Seen) -> Reply:
        user = self.users.get((seen.header("Authorization") or "").removeprefix("Bearer "))
        return Reply(b"{}", HTTPStatus.UNAUTHORIZED, JSON) if user is None else answer(user)


def answer(content: object, *, media_type: str = "application/json") -> Reply:
    """Make a good answer of JSON."""
    return Reply(json.dumps(content).encode(), headers=(("Content-Type", media_type),))
