"""Tokens of an authorization server for client id and secret (RFC 6749 4.4): one fetch at a time, kept while good."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock

from memberships_export.adapters.source.token_answer import Granted
from memberships_export.domain.errors import MembershipsUnavailable

_MARGIN = 60.0  # seconds: so long before its end a token is renewed, or a fifth of its life if that is less


def seconds_passed() -> float:
    """Read a clock that nobody sets. On Linux it also counts the time that a function was frozen."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str = field(repr=False)
    fresh_until: float


class KeptToken:
    """The token of one profile, for all threads.

    Whoever finds none that is good long enough fetches one; the others wait for that fetch, and share how it ends.
    """

    def __init__(self, fetch: Callable[[float], Granted], passed: Callable[[], float] = seconds_passed) -> None:
        """`fetch` gets a token until a moment of the clock time.monotonic."""
        self._fetch = fetch
        self._passed = passed
        self._lock = Lock()  # for a few assignments
        self._kept: _Kept | None = None
        self._fetching: Future[str] | None = None

    def get(self, until: float) -> str:
        """Return a token that is good for a while. Raises what the fetch raised, or MembershipsUnavailable in time."""
        with self._lock:
            if self._kept and self._passed() < self._kept.fresh_until:
                return self._kept.text
            fetching, mine = self._fetching, self._fetching is None
            if fetching is None:
                fetching = self._fetching = Future()
        if mine:
            self._fetch_into(fetching, until)
        try:
            return fetching.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise MembershipsUnavailable(
                "The token endpoint kept another export, and so this one, waiting for too long."
            ) from None

    def drop(self, refused: str) -> None:
        """Forget a token that was not accepted, if it is still the one that is kept."""
        with self._lock:
            if self._kept and self._kept.text == refused:
                self._kept = None

    def _fetch_into(self, fetching: "Future[str]", until: float) -> None:
        """Fetch, and tell all who wait, whatever happens."""
        asked_at = self._passed()
        try:
            got = self._fetch(until)
        except BaseException as error:
            self._end(None)
            fetching.set_exception(error)
            raise
        self._end(_Kept(got.token, asked_at + got.life - min(_MARGIN, got.life / 5)))
        fetching.set_result(got.token)

    def _end(self, kept: _Kept | None) -> None:
        with self._lock:
            self._kept, self._fetching = kept, None
