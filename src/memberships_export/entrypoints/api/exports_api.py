"""What the routes need: the use cases they call, in one object."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request

from memberships_export.service.mail_events.record_mail_events import RecordMailEvents
from memberships_export.service.mail_events.webhook import MailWebhook
from memberships_export.service.user.callers import Caller, TokenVerifier
from memberships_export.service.user.erase import EraseOwnExport
from memberships_export.service.user.offer import OfferOptions
from memberships_export.service.user.read import ReadExports
from memberships_export.service.user.request import RequestExport
from memberships_export.service.user.steer import CancelExport, ResendExport

Identify: TypeAlias = Callable[[Request], Caller | Awaitable[Caller]]
"""Tells who sends a request. Raises InvalidToken for nobody, IdentityUnavailable when that cannot be told now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportsApi:
    """The use cases behind the routes. Without `webhook` all mail events are refused.

    `tokens` checks bearer tokens, or looks at the whole request.
    """

    request: RequestExport
    offer: OfferOptions
    read: ReadExports
    cancel: CancelExport
    resend: ResendExport
    erase_own: EraseOwnExport
    record_mail_events: RecordMailEvents
    tokens: TokenVerifier | Identify
    webhook: MailWebhook | None = None
    is_paused: Callable[[], bool] = lambda: False  # whether the whole service is
