"""Headers that every answer of the service carries, also when its routes are mounted in another app."""

from starlette.responses import Response

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def secured(response: Response) -> Response:
    """Add the headers to an answer."""
    response.headers.update(SECURITY_HEADERS)
    return response
