"""What is in hand while a line is written: the export, and the request that it was made by."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_IN_HAND: ContextVar[Mapping[str, str]] = ContextVar("in_hand", default=_NOTHING)


@contextmanager
def about(*, export: str | None = None, request: str | None = None) -> Iterator[None]:
    """Name them in each line that this thread, or task, writes within."""
    named = {"export": export, "request": request}
    token = _IN_HAND.set({name: value for name, value in named.items() if value})
    try:
        yield
    finally:
        _IN_HAND.reset(token)


def in_hand() -> Mapping[str, str]:
    """Return what lines name beside what they say: `export`, `request`, or nothing."""
    return _IN_HAND.get()


def request_in_hand() -> str | None:
    """Return the id of the request that the work in hand is done for."""
    return _IN_HAND.get().get("request")
