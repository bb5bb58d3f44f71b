"""What the operator is told when the identity provider cannot be asked."""

import logging
import threading
import time
from collections.abc import Callable

from memberships_export.adapters.identity.endpoint import Unanswered

log = logging.getLogger(__name__)
_QUIET_SECONDS = 30  # from one line to the next
KEY_SET_UNREAD = "by=identity_provider status=%s event=key_set_unread reason=%s"
PROVIDER_UNANSWERED = "by=identity_provider status=%s event=provider_unanswered reason=%s"


class Telling:
    """Writes one line with status and cause, and then none for a while. `what` begins its sentence: "The key set"."""

    def __init__(self, what: str, line: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`line`: of what may pass; what only a person can mend is a refusal."""
        self._what, self._line, self._clock = what, line, clock
        self._lock = threading.Lock()
        self._told_at = float("-inf")

    def tell(self, error: Unanswered) -> None:
        """Log why there is no answer."""
        if not self._is_time():
            return
        status, reason = error.status or "none", f"{self._what} {error.cause}."
        if error.lasting:  # an alarm watches this event
            log.error("by=identity_provider status=%s event=refused reason=%s", status, reason)
        else:
            log.error(self._line, status, reason)

    def _is_time(self) -> bool:
        with self._lock:
            now = self._clock()
            due = now - self._told_at >= _QUIET_SECONDS
            self._told_at = now if due else self._told_at
            return due
