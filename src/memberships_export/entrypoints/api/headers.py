"""Headers that every answer of the service carries, also when its routes are mounted in another app."""

from starlette.responses import Response
from starlette.types import Message, Send

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# A year. Not for subdomains: they are none of this service's business.
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
_RAW = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_NAMES = frozenset(name for name, _ in _RAW)


def secured(response: Response) -> Response:
    """Set the security headers of this answer, over those that it has."""
    response.raw_headers = [*(header for header in response.raw_headers if header[0] not in _NAMES), *_RAW]
    return response


def securing(send: Send) -> Send:
    """Add those headers that an answer does not have, whoever made it."""

    async def secure(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(header for header in _RAW if header[0] not in there)]
        await send(message)

    return secure
