"""What the fake SMTP server can do with one connection, as data: at which step it leaves the path, and how."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What the client has just done when the server leaves the path."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"  # of TLS, after STARTTLS was answered
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"  # so many bytes of the mail
    DOT = "dot"  # the whole mail
    QUIT = "quit"


class End(StrEnum):
    """What comes instead of an answer, or behind it."""

    GO_ON = "go on"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"  # stays open and silent until the client or the server goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One connection's fate. Without a step nothing special happens."""

    at: Step | None = None
    says: bytes | None = None  # instead of the usual answer
    drip: bytes = b""  # what then comes again and again, for ever
    end: End = End.GO_ON
    takes: int = 0  # at CONTENT: bytes of the mail that are read before that
    accepts: bool = False  # at DOT: the mail counts as accepted, whatever the client is told


ACCEPT = Behaviour()
ACCEPT_THEN_RESET = Behaviour(at=Step.DOT, accepts=True, end=End.RESET)
ACCEPT_THEN_CLOSE = Behaviour(at=Step.DOT, accepts=True, end=End.CLOSE)
ACCEPT_THEN_HANG = Behaviour(at=Step.DOT, accepts=True, end=End.HANG)
HANG = Behaviour(at=Step.DOT, end=End.HANG)


def answers(at: Step, text: str, *, accepts: bool = False) -> Behaviour:
    """Answer a step with these lines, and go on."""
    return Behaviour(at=at, says=b"".join(line.encode() + b"\r\n" for line in text.splitlines()), accepts=accepts)


def ends(at: Step, end: End) -> Behaviour:
    """End the connection, or all progress, in place of the answer to a step."""
    return Behaviour(at=at, end=end)


def cut_content_after(count: int) -> Behaviour:
    """Reset the connection once so many bytes of the mail were read."""
    return Behaviour(at=Step.CONTENT, takes=count, end=End.RESET)


def answers_in_the_middle(text: str) -> Behaviour:
    """Answer when the mail has only begun, and never read the rest."""
    return Behaviour(at=Step.CONTENT, takes=1, says=text.encode() + b"\r\n", end=End.HANG)
