"""The thread that looks around for trouble: it delays nothing, and nothing waits for it."""

import logging
import threading
from collections.abc import Callable

from memberships_export.domain.errors import TransientError

log = logging.getLogger(__name__)
_PAUSE_SECONDS, _STOP_SECONDS = 10.0, 1.0


class Alerting:
    """Looks at once, and then every ten seconds, until it is stopped."""

    def __init__(self, look: Callable[[], None], stopping: threading.Event, seconds: float = _PAUSE_SECONDS) -> None:
        """Take what to look with; `stopping` is set when the process is about to end."""
        self._look, self._stopping, self._seconds = look, stopping, seconds

    def start(self) -> None:
        """Start it, as a daemon."""
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop it, and a command that runs; return when it has ended, or after a second."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except TransientError as error:
                log.warning("event=trouble code=%s reason=%s", error.code, error.reason)
            except Exception:
                log.exception("event=internal_error")
            self._stopping.wait(self._seconds)
