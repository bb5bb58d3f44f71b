"""The keys of an identity provider: nobody whose key is at hand waits for the provider.

The key set is read by one thread at a time, beside the requests. Those who need a key that is not at hand wait for that
one read, as long as it may take, and no more of them than there are places. The lock is held for a few assignments.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import jwt

from memberships_export.adapters.identity.jwk_set import KeyName
from memberships_export.service.user.callers import InvalidToken, KeysUnavailable

_PLACES = 16  # to wait in; requests are answered by 40 threads, and most of them must stay free
Keys = Mapping[KeyName, jwt.PyJWK]
_NONE: Keys = MappingProxyType({})


class KeySource(Protocol):
    """What RemoteKeys asks for new keys; `where` is shown to the operator."""

    where: str

    def read(self) -> Keys | None:
        """Read the key set, within `Timing.wait`; None when that failed and was told to the operator."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often the set is read, and how long it is believed. All in seconds."""

    fresh: float = 300  # older keys are used, and read again
    cooldown: float = 30  # from the end of one read to the next, when keys are at hand
    pause: float = 1  # the same when there are none
    outage: float = 86_400  # keys stay good for so long after the last good read
    wait: float = 5  # for one read


@dataclass(frozen=True, slots=True)
class _AtHand:
    keys: Keys
    read_at: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """One read of the set, under way."""

    until: float
    done: threading.Event = field(default_factory=threading.Event)


class RemoteKeys:
    """The keys at hand, and the one thread that reads them again."""

    def __init__(
        self, source: KeySource, timing: Timing = Timing(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read nothing yet: the first token does."""
        self._source, self._timing, self._clock = source, timing, clock
        self._places = threading.BoundedSemaphore(_PLACES)
        self._lock = threading.Lock()  # for whoever changes the four below
        self._at_hand: _AtHand | None = None
        self._reading: _Reading | None = None
        self._read_ended = float("-inf")
        self._read_failed = False

    def key(self, name: KeyName) -> jwt.PyJWK:
        """Find a key. Raises InvalidToken when the set does not hold it, KeysUnavailable when that cannot be told."""
        if known := self.at_hand().get(name):
            return known
        if reading := self._ask():
            self._wait_for(reading)
        keys = self._known()
        if name in keys:
            return keys[name]
        if self._read_failed or not keys:
            raise self._unavailable()
        raise InvalidToken("The token names a key (kid) that is not in the configured key set.")

    def at_hand(self) -> Keys:
        """Return the keys that can be had at once: the same object until they are read anew, which is begun in time."""
        self._refresh()
        return self._known()

    def _known(self) -> Keys:
        """Without the lock: what is at hand is replaced as a whole, and never changed."""
        at_hand = self._at_hand
        return at_hand.keys if at_hand and self._clock() - at_hand.read_at < self._timing.outage else _NONE

    def _refresh(self) -> None:
        at_hand = self._at_hand
        if at_hand and self._clock() - at_hand.read_at >= self._timing.fresh:
            self._ask()

    def _ask(self) -> _Reading | None:
        """Join the read under way, or begin one; None when it is too soon to ask again."""
        with self._lock:
            if self._reading is None:
                self._reading = self._begin()
            return self._reading

    def _begin(self) -> _Reading | None:
        rest = self._timing.cooldown if self._known() else self._timing.pause
        if self._clock() - self._read_ended < rest:
            return None
        reading = _Reading(until=self._clock() + self._timing.wait)
        try:
            threading.Thread(target=self._read, args=(reading,), name="key-set", daemon=True).start()
        except RuntimeError:  # this machine has no more threads: the next token asks again
            self._read_failed = True
            return None
        return reading

    def _wait_for(self, reading: _Reading) -> None:
        if not self._places.acquire(blocking=False):
            raise self._unavailable()
        try:
            if not reading.done.wait(max(0.0, reading.until - self._clock())):
                raise self._unavailable()
        finally:
            self._places.release()

    def _read(self, reading: _Reading) -> None:
        """Read the set, in a thread of its own. Whatever happens, those who wait are told."""
        keys = None
        try:
            keys = self._source.read()
        finally:
            with self._lock:
                now = self._clock()
                self._at_hand = _AtHand(keys, now) if keys else self._at_hand
                self._reading, self._read_ended, self._read_failed = None, now, not keys
            reading.done.set()

    def _unavailable(self) -> KeysUnavailable:
        return KeysUnavailable(f"The keys at {self._source.where} cannot be read at the moment.")
