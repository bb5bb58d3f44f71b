"""Whether the service can work, found out at most once a second however often it is asked: it costs a write."""

import threading
import time
from collections.abc import Callable

from memberships_export.domain.errors import StorageUnavailable

_KEPT_SECONDS = 1.0


class Readiness:
    """Asks one at a time; the others get the same answer, good or bad."""

    def __init__(self, check: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`check` raises StorageUnavailable. `clock`: seconds, from anywhere."""
        self._check = check
        self._clock = clock
        self._lock = threading.Lock()
        self._kept_until = clock()
        self._reason: str | None = None

    def __call__(self) -> None:
        """Return when the service can work. Raises StorageUnavailable."""
        with self._lock:
            if self._clock() >= self._kept_until:
                self._reason = self._found()
                self._kept_until = self._clock() + _KEPT_SECONDS
            reason = self._reason
        if reason is not None:
            raise StorageUnavailable(reason)

    def _found(self) -> str | None:
        try:
            self._check()
        except StorageUnavailable as error:
            return error.reason
        return None
