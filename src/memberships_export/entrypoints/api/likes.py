"""What the one who asks likes to read, as far as a request tells: nothing that it says is an error."""

from starlette.requests import Request

from memberships_export.domain.formats.options import LANGUAGES, Likes
from memberships_export.entrypoints.api.accept_language import accepted_languages
from memberships_export.service.user.callers import Caller


def likes_of(caller: Caller, request: Request, usual: Likes) -> Likes:
    """Return what the user has chosen at the identity provider, then what the browser says.

    `usual` is what counts behind it: a `*` of the browser stands for that first.
    """
    accepted = accepted_languages(request.headers.getlist("Accept-Language"), (*usual.languages, *LANGUAGES))
    return Likes(languages=(*_said(caller.locale), *accepted), time_zones=_said(caller.time_zone))


def _said(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()
