"""The mail service's signed events. Whatever is not signed is refused, also when no key is configured."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from memberships_export.entrypoints.api.documentation import Responses, problems
from memberships_export.entrypoints.api.origins import From, of_provider
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.entrypoints.api.provided import Api
from memberships_export.service.mail_events.webhook import ForgedEvents
from memberships_export.settings import variable

_RECORDED: Responses = {204: {"description": "Recorded, as far as they belong to exports of this service."}}
_BATCH = {
    "requestBody": {
        "description": "The batch exactly as signed, at most 1 MiB.",
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}
_PREFIX = "X-Twilio-Email-Event-Webhook-"
Signature = Annotated[str, Header(alias=_PREFIX + "Signature", description="ECDSA over timestamp and body, base64.")]
Timestamp = Annotated[str, Header(alias=_PREFIX + "Timestamp", description="Part of what is signed.")]


async def _raw_body(request: Request) -> bytes:
    """Read the bytes as sent: the signature is over them, not over what they mean."""
    return await request.body()


def record_mail_events(
    api: Api,
    body: Annotated[bytes, Depends(_raw_body)],
    origin: From,
    signature: Signature = "",
    timestamp: Timestamp = "",
) -> None:
    """Take a batch of events from SendGrid. Repeats, delays and any order are harmless."""
    if api.webhook is None:
        detail = f"Mail events are not taken here: {variable('sendgrid_webhook_key')} is not set."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "webhook_not_configured", detail)
    if not signature or not timestamp:
        raise ForgedEvents(f"The events are not signed: {_PREFIX}Signature or {_PREFIX}Timestamp is missing.")
    api.record_mail_events(api.webhook.read(signature, timestamp, body), of_provider(origin))


def add_webhook(router: APIRouter) -> None:
    """Let SendGrid post its events to /webhooks/sendgrid below the router's path."""
    router.add_api_route(
        "/webhooks/sendgrid",
        record_mail_events,
        methods=["POST"],
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        summary="Record mail events",
        tags=["webhooks"],
        responses=_RECORDED | problems(403, 413, 422, 503),
        openapi_extra=_BATCH,
    )
