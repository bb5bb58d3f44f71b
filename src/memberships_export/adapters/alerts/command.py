"""An alarm by a command of the operator: without a shell, within a time, and with all that it started."""

import logging
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from memberships_export.adapters.alerts.facts import as_json
from memberships_export.service.operator.alerts import Alert, AlertFailed

log = logging.getLogger(__name__)
_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_KEPT = 2000  # bytes of what it says
_OURS = "MEMBERSHIPS_EXPORT_"  # settings of the service, secrets among them


class CommandAlarm:
    """Runs the command once for each alert; the facts are in its environment and, as JSON, on its stdin."""

    def __init__(
        self, words: Sequence[str], seconds: float = _SECONDS, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        """`words`: the program and its arguments. It is ended after so many seconds, or when the service stops."""
        self._words, self._seconds, self._should_stop = list(words), seconds, should_stop

    def __call__(self, alert: Alert) -> None:
        """Run it to its end. Raises AlertFailed."""
        try:
            process = subprocess.Popen(  # noqa: S603  (the operator's own command, and no shell reads it)
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environ(alert),
                start_new_session=True,  # so that its children can be ended with it
            )
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise AlertFailed(f"The alert command {self._words[0]} cannot be started: {what}.") from error
        with process:
            said, ended = self._attend(process, as_json(alert))
        log.info("kind=%s status=%s event=alert_command said=%s", alert.kind, process.returncode, said)
        if not ended and self._should_stop():
            raise AlertFailed("The alert command was ended, with all it had started, because the service stops.")
        if not ended:
            raise AlertFailed(f"The alert command was ended after {self._seconds:g} seconds, with all it had started.")
        if process.returncode:
            raise AlertFailed(f"The alert command ended with {process.returncode}.")

    def _attend(self, process: subprocess.Popen[bytes], line: bytes) -> tuple[str, bool]:
        """Return the beginning of what it says, and whether it ended by itself."""
        assert process.stdin is not None  # noqa: S101  (both are pipes)
        assert process.stdout is not None  # noqa: S101
        until, said = time.monotonic() + self._seconds, bytearray()
        with suppress(OSError):  # it need not read it; what it does read fits into a pipe
            process.stdin.write(line)
            process.stdin.close()
        os.set_blocking(process.stdout.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while process.poll() is None:
                if time.monotonic() >= until or self._should_stop():
                    _end(process)
                    return _shown(said), False
                _listen(selector, process.stdout.fileno(), said, _LOOK_SECONDS)
            _listen(selector, process.stdout.fileno(), said, 0)
        return _shown(said), True


def _listen(selector: selectors.BaseSelector, descriptor: int, said: bytearray, seconds: float) -> None:
    """Take what it says, and leave out what is too much."""
    for _ in selector.select(seconds):
        chunk = os.read(descriptor, 65_536)
        said += chunk[: max(_KEPT - len(said), 0)]
        if not chunk:  # it has closed its output, and may go on
            selector.unregister(descriptor)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _shown(said: bytearray) -> str:
    return said.decode(errors="replace").strip()


def _environ(alert: Alert) -> Mapping[str, str]:
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return theirs | {
        "ALERT_KIND": alert.kind,
        "ALERT_TEXT": alert.text,
        "ALERT_COUNT": str(alert.count),
        "ALERT_SINCE": alert.since.isoformat(),
        "ALERT_EXPORTS": " ".join(alert.exports),
    }
