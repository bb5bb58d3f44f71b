"""What each export route does: parse, call one use case, show the answer."""

from base64 import b64encode
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.entrypoints.api.auth import AnyCaller, ByBearer, MailedCaller, checked_email
from memberships_export.entrypoints.api.callers import comes_from_another_site
from memberships_export.entrypoints.api.export_ids import ExportId
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.offer_schemas import OptionsOffer, options_offer
from memberships_export.entrypoints.api.options_query import refuse_others
from memberships_export.entrypoints.api.options_schemas import ExportOptions
from memberships_export.entrypoints.api.origins import From, of_link, of_member
from memberships_export.entrypoints.api.problems import HttpRefusal, seconds
from memberships_export.entrypoints.api.provided import Api, provided
from memberships_export.entrypoints.api.schemas import ErasedView, ExportList, ExportView, erased_view, export_view
from memberships_export.entrypoints.api.wishes import IdempotencyKey, KnownLikes, wish_in_body, wish_in_query
from memberships_export.service.user.callers import Caller
from memberships_export.service.user.offer import Looking
from memberships_export.service.user.read import FileAnswer
from memberships_export.service.user.request import Wish

_POLL_SECONDS = 2
_ASKED_FOR = "Accept-Language"  # where nothing is said, the browser chooses: what keeps answers has to know (RFC 9110)

LabelLanguage = Annotated[str | None, Query(description="Of the labels; without it, what you are known to read.")]
ZoneText = Annotated[
    str | None, Query(max_length=100, description="Part of the names of time zones to look for: berl.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many exports to list at most.")]


async def _mounted_at(request: Request) -> str:
    return mounted_at(request)


def mounted_at(request: Request) -> str:
    """Return the path that the routes are mounted at. Links hold no host: the Host header is the client's word.

    What a proxy in front has stripped is known from the root path (of ASGI); servers and apps do not agree on whether
    the path begins with it.
    """
    before, root = request.scope["path"].rpartition("/memberships/export")[0], request.scope["root_path"].rstrip("/")
    return quote(before if f"{before}/".startswith(f"{root}/") else root + before)


Base = Annotated[str, Depends(_mounted_at)]
# Where browsers, and apps that show pages before they are asked to, say why they ask, and what they say.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_SPECULATIONS = ("prefetch", "prerender", "preview", "instant")


def refuse_speculation(request: Request) -> None:
    """Refuse a GET that no person or program means: a browser's prefetch, or another site's link or image."""
    purposes = ",".join(purpose for name in _PURPOSES for purpose in request.headers.getlist(name)).lower()
    if any(word in purposes for word in _SPECULATIONS):
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "prefetch", "A prefetch starts no export: ask when you want one.")
    if comes_from_another_site(request):
        detail = "A GET from another site starts no export: use POST /memberships/exports."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "cross_site", detail)


MeantCaller = Annotated[Caller, Depends(ByBearer(to_mail_to=True, first=refuse_speculation))]


async def start_export(request: Request, caller: MeantCaller) -> Response:
    """Start an export of all your memberships, or find the one under way. The file comes by email."""
    return await _asked(request, wish_in_query(request, caller))


async def start_export_with_options(
    request: Request,
    caller: MailedCaller,
    options: ExportOptions | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Start an export as `GET /memberships/export` does, with options in JSON."""
    return await _asked(request, wish_in_body(request, caller, options, idempotency_key))


def get_options(  # noqa: PLR0913, PLR0917  (FastAPI fills them by name)
    api: Api,
    likes: KnownLikes,
    request: Request,
    response: Response,
    language: LabelLanguage = None,
    zone: ZoneText = None,
) -> OptionsOffer:
    """Tell what may be chosen about a file, so that a form can be built from it."""
    refuse_others(request.query_params.multi_items(), ("language", "zone"))
    offered = api.offer(Looking(language=language, zone=zone), likes)
    response.headers.update({"Content-Language": offered.language, "Vary": _ASKED_FOR})
    return options_offer(offered)


def list_exports(api: Api, caller: AnyCaller, base: Base, limit: Limit = 20) -> ExportList:
    """List your exports, newest first."""
    views = [_view(api, export, base) for export in api.read.list(caller.user_id, limit)]
    return ExportList(items=[view.model_copy(update={"timeline": None}) for view in views])


def get_export(request: Request, caller: AnyCaller, export_id: ExportId) -> Response:
    """Tell how one of your exports is doing."""
    api = provided(request).api
    export = api.read.get(export_id, caller.user_id)
    view = _view(api, export, mounted_at(request))
    return _written(view, HTTPStatus.OK, _coming_back(export, api.read.clock()))


def cancel_export(api: Api, caller: AnyCaller, export_id: ExportId, base: Base, origin: From) -> ExportView:
    """Stop an export that is under way. A mail that was handed over already cannot be called back."""
    return _view(api, api.cancel(export_id, caller.user_id, of_member(origin, caller)), base)


def resend_export(  # noqa: PLR0913, PLR0917  (FastAPI fills them by name)
    api: Api, caller: MailedCaller, export_id: ExportId, base: Base, response: Response, origin: From
) -> ExportView:
    """Mail the stored file again, to the address of your token; links mailed before stop working."""
    resent = api.resend(export_id, caller.user_id, checked_email(caller), of_member(origin, caller))
    return _shown(api, resent, base, response)


async def refuse_options(request: Request) -> None:
    """Refuse to delete what may be chosen about a file: its path looks like that of an export."""
    if request.path_params["exportId"] == "options":
        detail = "DELETE is not possible here. Possible: GET."
        raise HttpRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, {"Allow": "GET"})


def erase_export(api: Api, caller: AnyCaller, export_id: ExportId, origin: From) -> ErasedView:
    """Erase one of your exports, also one under way: its file, its data, and what is left to do for it.

    The answer tells what was erased, and is the same when you ask again. A mail that was handed over cannot be called
    back, and backups keep what they hold until they are overwritten.
    """
    return erased_view(api.erase_own(export_id, caller.user_id, of_member(origin, caller)))


def get_file(api: Api, caller: AnyCaller, export_id: ExportId, request: Request, origin: From) -> Response:
    """Get the file: its bytes, or a redirect to a URL that works for a minute."""
    export = api.read.get(export_id, caller.user_id)
    if export.unfinished and export.file is None:
        retry_after = _coming_back(export, api.read.clock())
        detail = "The file is not ready yet: the export is in progress."
        raise HttpRefusal(HTTPStatus.CONFLICT, "file_not_ready", detail, retry_after)
    by, to_read = of_member(origin, caller), request.method != "HEAD"
    answer = _file_answer(api.read.file(export_id, caller.user_id, by, to_read=to_read), request)
    return _noted(api, answer, export_id, "token") if to_read else answer


def get_file_by_link(api: Api, export_id: ExportId, token: str, request: Request, origin: From) -> Response:
    """Get the file with the link from the mail; no other token is needed. Works any number of times until it ends."""
    to_read = request.method != "HEAD"
    answer = _file_answer(api.read.file_by_link(export_id, token, of_link(origin), to_read=to_read), request)
    return _noted(api, answer, export_id, "link") if to_read else answer


def _noted(api: ExportsApi, answer: Response, export_id: str, how: str) -> Response:
    """Let the download be noted when the answer has left."""
    answer.background = BackgroundTask(api.read.note_download, export_id, how)
    return answer


async def _asked(request: Request, wish: Wish) -> Response:
    given = provided(request)
    asked = await given.ask(wish)
    export, now = asked.accepted.export, given.api.read.clock()
    view = export_view(export, mounted_at(request), now, service_paused=asked.paused)
    status = HTTPStatus.ACCEPTED if asked.accepted.created else HTTPStatus.OK
    return _written(view, status, {"Location": view.status_url, "Vary": _ASKED_FOR} | _coming_back(export, now))


def _shown(api: ExportsApi, export: Export, base: str, response: Response) -> ExportView:
    response.headers.update(_coming_back(export, api.read.clock()))
    return _view(api, export, base)


def _view(api: ExportsApi, export: Export, base: str) -> ExportView:
    return export_view(export, base, api.read.clock(), service_paused=export.unfinished and api.is_paused())


def _coming_back(export: Export, now: datetime) -> dict[str, str]:
    """Say when it is worth asking again, of an export that is not finished."""
    if not export.unfinished:
        return {}
    waits = export.status is ExportStatus.WAITING and export.wake_at
    after = (export.wake_at - now).total_seconds() if waits and export.wake_at else _POLL_SECONDS
    return {"Retry-After": seconds(after)}


def _written(view: ExportView, status: HTTPStatus, headers: dict[str, str]) -> Response:
    """Write what is ours and was made right: FastAPI would check it once more."""
    return Response(view.model_dump_json(by_alias=True), status, headers, "application/json")


def _file_answer(answer: FileAnswer, request: Request) -> Response:
    # The URL is signed for GET: a HEAD that followed it would be refused. So it is told what the GET finds in the end.
    if answer.url is not None and request.method != "HEAD":
        return RedirectResponse(answer.url, HTTPStatus.TEMPORARY_REDIRECT)
    headers = {
        "Content-Disposition": f'attachment; filename="{answer.file.name}"',
        "Content-Length": str(answer.file.bytes),
        # Not on the redirect: there it would be of an answer that has no content (RFC 9530, section 3).
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(answer.file.sha256)).decode()}:",
    }
    return StreamingResponse(answer.chunks, HTTPStatus.OK, headers, answer.content_type)
