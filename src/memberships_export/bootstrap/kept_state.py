"""The state of the service as one process knows it: asked for again only after some seconds."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

from memberships_export.domain.errors import TransientError
from memberships_export.domain.pause import Pause
from memberships_export.ports import ServiceState


class KeptState:
    """ServiceState that keeps an answer. While the store cannot be read, what was known last stays."""

    def __init__(self, state: ServiceState, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        """`seconds`: how old an answer may be."""
        self._state, self._seconds, self._clock = state, seconds, clock
        self._lock = Lock()
        self._known: tuple[float, Pause | None] | None = None

    def pause(self, pause: Pause) -> Pause:
        """Pause; this process knows it at once."""
        paused = self._state.pause(pause)
        self._learn(paused)
        return paused

    def resume(self) -> Pause | None:
        """Resume; this process knows it at once."""
        ended = self._state.resume()
        self._learn(None)
        return ended

    def paused(self) -> Pause | None:
        """Return what was known some seconds ago at most. Raises StorageUnavailable before the first answer."""
        known = self._known
        if known and self._clock() < known[0] + self._seconds:
            return known[1]
        with self._lock:  # one asks; who waited for it gets its answer
            if self._known is not known and self._known:
                return self._known[1]
            return self._learn(self._read(known))

    def _read(self, known: tuple[float, Pause | None] | None) -> Pause | None:
        try:
            return self._state.paused()
        except TransientError:
            if known is None:
                raise
            return known[1]

    def _learn(self, pause: Pause | None) -> Pause | None:
        self._known = (self._clock(), pause)
        return pause
