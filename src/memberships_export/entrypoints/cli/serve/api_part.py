"""The API of a process. FastAPI and uvicorn are loaded with this module, by processes that answer."""

from urllib.parse import SplitResult, urlsplit

from fastapi import APIRouter, FastAPI

from memberships_export.bootstrap.identity import mail_webhook, membership_tokens, user_tokens
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.headers import HTTPS_ONLY
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.entrypoints.cli.serve.api_thread import ApiThread
from memberships_export.entrypoints.cli.serve.bundled import bundled_memberships
from memberships_export.entrypoints.cli.serve.known import Known
from memberships_export.entrypoints.cli.serve.limits import limits_here
from memberships_export.entrypoints.cli.serve.listening import Listening
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services
from memberships_export.settings import Settings


def api_of(settings: Settings, listening: Listening, ports: Ports, services: Services, known: Known) -> ApiThread:
    """Make the API on its sockets. Raises CommandError, ValueError."""
    return ApiThread(
        _app(settings, ports, services, known),
        listening.sockets,
        limits_here(settings.max_connections),
        HTTPS_ONLY if _public(settings).scheme == "https" else {},
        shares_sockets=settings.api_processes > 1,
    )


def _app(settings: Settings, ports: Ports, services: Services, known: Known) -> FastAPI:
    users = user_tokens(settings)
    api = ExportsApi(
        request=services.request,
        offer=services.offer,
        read=services.read,
        cancel=services.cancel,
        erase_own=services.erase_own,
        resend=services.resend,
        record_mail_events=services.record_mail_events,
        tokens=users,
        webhook=mail_webhook(settings),
        is_paused=lambda: ports.state.paused() is not None,
    )
    bundled = [] if settings.memberships_url else [bundled_memberships(settings, membership_tokens(settings, users))]
    return create_app(
        [*bundled, exports_router(api), _health(ports, services, known)],
        _public(settings).path,
    )


def _health(ports: Ports, services: Services, known: Known) -> APIRouter:
    details = Details(
        waiting=services.what_waits,
        found=known.look.found if known.look else lambda: None,
        noticed=known.noticed,
        paused=ports.state.paused,
    )
    return health_router(known.check, details)


def _public(settings: Settings) -> SplitResult:
    return urlsplit(settings.public_url or "")
