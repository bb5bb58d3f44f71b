"""What the fake SendGrid can do with one request, as data: how much it takes, what it answers, how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class End(StrEnum):
    """How the connection ends."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"  # stays open and silent until the client or the server goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One request's fate. `takes`: bytes of the body it reads, None for all. `status` None: no answer."""

    accepts: bool = False  # the mail counts as accepted, whatever the client is told
    takes: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip: tuple[bytes, bytes] | None = None  # an answer that begins like the first and goes on with the second for ever
    breaks_off: bytes = b""  # an answer of which no more comes
    end: End = End.CLOSE


ACCEPT = Behaviour(accepts=True, status=202)
ACCEPT_THEN_RESET = Behaviour(accepts=True, end=End.RESET)
ACCEPT_THEN_500 = Behaviour(accepts=True, status=500)
ACCEPT_THEN_HANG = Behaviour(accepts=True, end=End.HANG)
HANG = Behaviour(end=End.HANG)
RESET_BEFORE_BODY = Behaviour(takes=0, end=End.RESET)
REDIRECT = Behaviour(status=302, headers={"Location": "/elsewhere"})
NAMED = {
    "accept": ACCEPT,
    "accept_then_reset": ACCEPT_THEN_RESET,
    "accept_then_500": ACCEPT_THEN_500,
    "accept_then_hang": ACCEPT_THEN_HANG,
    "hang": HANG,
    "reset_before_body": RESET_BEFORE_BODY,
    "redirect": REDIRECT,
}


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Take the request, refuse it with a status. Header names with _ for -."""
    return Behaviour(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def status_before_body(code: int, body: bytes = b"") -> Behaviour:
    """Answer as soon as the headers are there, and never read the body."""
    return Behaviour(takes=0, status=code, body=body, end=End.HANG)


def cut_body_after(count: int) -> Behaviour:
    """Reset the connection once so many bytes of the body were read."""
    return Behaviour(takes=count, end=End.RESET)


def read_behaviour(text: str) -> Behaviour:
    """Read a step of a script: a name, "status:429", "status:429:Retry-After=7", or "cut_body_after:1000"."""
    name, _, rest = text.partition(":")
    if name in NAMED and not rest:
        return NAMED[name]
    number, _, header = rest.partition(":")
    if name == "status" and number.isdecimal():
        key, _, value = header.partition("=")
        return Behaviour(status=int(number), headers={key: value} if key else {})
    if name == "cut_body_after" and number.isdecimal() and not header:
        return cut_body_after(int(number))
    known = ", ".join([*NAMED, "status:429:Retry-After=7", "cut_body_after:1000"])
    raise ValueError(f"{text!r} is no step of a script; known: {known}")
