"""Answers of the identity provider about one token each, kept for a short time: who has one at hand does not wait.

Each question is asked by a thread of its own, once for all who want to know. Those wait as long as one call may take,
and no more of them than there are places. The lock is held for a few assignments.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from memberships_export.service.user.callers import IdentityUnavailable

T = TypeVar("T")
_PLACES = 16  # to wait in; requests are answered by 40 threads, and most of them must stay free


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How many answers are kept and for how long, and how long one may be waited for. Times in seconds."""

    longest: float = 60
    most: int = 10_000
    wait: float = 5.5  # a little more than the call itself may take, so that its own reason is heard


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer, and for how many seconds it is good, as far as is known; with none it is not kept."""

    value: T
    seconds: float


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    until: float


_AS_EVER = Keeping()


class KeptAnswers(Generic[T]):
    """The answers at hand. Refusals and failures are told to all who wait, and not kept."""

    def __init__(self, keeping: Keeping = _AS_EVER, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds, from anywhere."""
        self._keeping, self._clock = keeping, clock
        self._places = threading.BoundedSemaphore(_PLACES)
        self._lock = threading.Lock()  # for whoever looks at the two below
        self._kept: OrderedDict[bytes, _Kept[T]] = OrderedDict()
        self._asking: dict[bytes, Future[T]] = {}

    def at_hand(self, token: str) -> T | None:
        """Return what was answered lately about this token; None when nobody has asked, or too long ago."""
        with self._lock:
            return self._found(_key(token))

    def about(self, token: str, ask: Callable[[], Answered[T]]) -> T:
        """Return what `ask` answers about this token, or answered lately. Raises what it raises, IdentityUnavailable.

        Nothing of the token is kept but its hash.
        """
        key = _key(token)
        with self._lock:
            kept = self._found(key)
            if kept is not None:
                return kept
            future = self._asking.get(key) or self._begin(key, ask)
        return self._waited_for(future)

    def _found(self, key: bytes) -> T | None:
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            return None
        self._kept.move_to_end(key)
        return kept.value

    def _begin(self, key: bytes, ask: Callable[[], Answered[T]]) -> "Future[T]":
        if len(self._asking) >= _PLACES:
            raise IdentityUnavailable("The identity provider is asked about too many tokens at the moment.")
        future: Future[T] = Future()
        try:
            threading.Thread(target=self._ask, args=(key, ask, future), name="identity", daemon=True).start()
        except RuntimeError as error:
            raise IdentityUnavailable("This machine has no more threads to ask the identity provider.") from error
        self._asking[key] = future
        return future

    def _waited_for(self, future: "Future[T]") -> T:
        if not self._places.acquire(blocking=False):
            raise IdentityUnavailable("Too many wait for the identity provider at the moment.")
        try:
            return future.result(self._keeping.wait)
        except TimeoutError:
            raise IdentityUnavailable("The identity provider takes too long to answer.") from None
        finally:
            self._places.release()

    def _ask(self, key: bytes, ask: Callable[[], Answered[T]], future: "Future[T]") -> None:
        """Ask, in a thread of its own. Whatever happens, those who wait are told."""
        try:
            answered = ask()
        except BaseException as error:  # noqa: BLE001  (a bug too must end the wait)
            self._end(key)
            future.set_exception(error)
        else:
            self._end(key, answered)
            future.set_result(answered.value)

    def _end(self, key: bytes, answered: Answered[T] | None = None) -> None:
        with self._lock:
            del self._asking[key]
            if answered and answered.seconds > 0:
                seconds = min(answered.seconds, self._keeping.longest)
                self._kept[key] = _Kept(answered.value, self._clock() + seconds)
                self._kept.move_to_end(key)
                while len(self._kept) > self._keeping.most:
                    self._kept.popitem(last=False)


def _key(token: str) -> bytes:
    return sha256(token.encode()).digest()
