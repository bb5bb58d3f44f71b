"""The routes over the service in memory, called as a client would."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.jwt import SharedSecretVerifier
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Evidence
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.exports_api import ExportsApi, Identify
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.mail_events.webhook import ForgedEvents, MailWebhook, MalformedEvents
from memberships_export.service.user.callers import TokenVerifier
from tests.fakes.forged_tokens import SECRET, claims, hs
from tests.fakes.world import World

PROBLEM_JSON = "application/problem+json"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
WEBHOOK_KEY = b"the key of the mail service"
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"


def expected() -> ExpectedClaims:
    return ExpectedClaims(audiences=frozenset({"memberships"}), issuer="https://id.example.org")


def token_for(user_id: str | int = "user-1", **changes: object) -> str:
    """A good token, changed; None takes a claim away."""
    return hs(claims(**{"sub": user_id, "email": f"{user_id}@example.org", "email_verified": True} | changes))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed(body: bytes) -> dict[str, str]:
    return {SIGNATURE: hmac.digest(WEBHOOK_KEY, b"1" + body, "sha256").hex(), TIMESTAMP: "1"}


class HmacWebhook:
    """MailWebhook. Reads `[{"exportId": ..., "send": ...}]`."""

    def read(self, signature: str, timestamp: str, body: bytes) -> Sequence[MailEvent]:
        if not hmac.compare_digest(signature, hmac.digest(WEBHOOK_KEY, timestamp.encode() + body, "sha256").hex()):
            raise ForgedEvents
        events = json.loads(body)
        if not isinstance(events, list):
            raise MalformedEvents
        return [MailEvent(one["exportId"], SendFact(number=1, evidence=Evidence.ACCEPTED)) for one in events]


def exports_api(
    world: World, tokens: TokenVerifier | Identify | None = None, webhook: MailWebhook | None = None
) -> ExportsApi:
    services = world.services
    return ExportsApi(
        request=services.request,
        offer=services.offer,
        read=services.read,
        cancel=services.cancel,
        resend=services.resend,
        erase_own=services.erase_own,
        record_mail_events=services.record_mail_events,
        tokens=tokens or SharedSecretVerifier(SECRET, expected()),
        webhook=webhook,
    )


def own_app(
    api: ExportsApi,
    ready: Callable[[], None] = lambda: None,
    details: Details | None = None,
) -> FastAPI:
    return create_app([exports_router(api), health_router(ready, details or Details())])


def foreign_app(api: ExportsApi, ready: Callable[[], None] = lambda: None) -> FastAPI:
    """An app of somebody else: no handlers, no middleware of ours."""
    app = FastAPI()
    app.include_router(exports_router(api))
    app.include_router(health_router(ready, Details()))
    return app


class Service:
    """`world` is behind the routes; `call` speaks for user-1 unless told."""

    def __init__(self, world: World, app: FastAPI) -> None:
        self.world = world
        self.client = TestClient(app)

    def call(  # noqa: PLR0913  (the parts of a request)
        self,
        method: str,
        path: str,
        *,
        user: str = "user-1",
        headers: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
    ) -> httpx2.Response:
        sent = bearer(token_for(user)) | dict(headers or {})
        return self.client.request(method, path, headers=sent, json=json, content=content, follow_redirects=False)

    def get(self, path: str, **parts: Any) -> httpx2.Response:  # noqa: ANN401  (parts of `call`)
        return self.call("GET", path, **parts)

    def post(self, path: str, **parts: Any) -> httpx2.Response:  # noqa: ANN401  (parts of `call`)
        return self.call("POST", path, **parts)

    def delete(self, path: str, **parts: Any) -> httpx2.Response:  # noqa: ANN401  (parts of `call`)
        return self.call("DELETE", path, **parts)

    def nothing_happened(self) -> bool:
        return not self.world.store.records and not self.world.queue.messages


def assert_problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check the form that all problems have, and return this one."""
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["Content-Type"] == PROBLEM_JSON
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    return problem
