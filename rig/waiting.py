"""Waiting for what other processes do: look again and again, and fail with a reason when it takes too long."""

from collections.abc import Callable
from threading import Event
from time import monotonic


def until(
    happened: Callable[[], object], what: str, seconds: float = 40, *, tell: Callable[[], str] = lambda: ""
) -> None:
    """Look until it has happened. `tell` says more when it has not in time, such as the end of a log."""
    end = monotonic() + seconds
    while not happened():
        assert monotonic() < end, f"Waited {seconds} s for {what}.\n{tell()}"
        Event().wait(0.02)
