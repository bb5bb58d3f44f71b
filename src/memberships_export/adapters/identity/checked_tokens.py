"""Tokens whose signature and claims were checked: who shows one again is known without checking it once more."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from memberships_export.service.user.callers import Caller

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """Who a token speaks for, when that was proven, and its `exp`. Times in seconds since 1970."""

    caller: Caller
    at: float
    expires: float


class CheckedTokens:
    """The latest of them, under their hashes. Nothing else of a token is kept."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since 1970."""
        self._most, self._clock = most, clock
        self._lock = Lock()  # for whoever looks at it
        self._checked: OrderedDict[bytes, Checked] = OrderedDict()

    def find(self, token: str) -> Checked | None:
        """Return what is known of a token until it expires. Where the clock was set back since, it is checked anew."""
        digest = _digest(token)
        with self._lock:
            found = self._checked.get(digest)
            if found is None:
                return None
            if found.at <= self._clock() < found.expires:
                self._checked.move_to_end(digest)
                return found
            del self._checked[digest]
            return None

    def keep(self, token: str, checked: Checked) -> Caller:
        """Keep what was found out, in place of what was not asked for the longest time."""
        with self._lock:
            self._checked[_digest(token)] = checked
            while len(self._checked) > self._most:
                self._checked.popitem(last=False)
        return checked.caller


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogatepass")).digest()
