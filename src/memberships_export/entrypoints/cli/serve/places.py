"""A child's place in the service, and the process that fills it now."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from memberships_export.entrypoints.cli.serve.child import fork
from memberships_export.entrypoints.cli.serve.restarting import Past, after_end
from memberships_export.entrypoints.cli.serve.roles import Child


@dataclass(slots=True)
class Place:
    """`number`: of the place. `due`: when a process is started to fill it."""

    number: int
    child: Child
    pid: int | None = None
    starts: int = 0
    drained: bool = False
    due: float | None = None
    past: Past = field(default_factory=Past)
    _up_since: float | None = None

    @property
    def cannot_begin(self) -> bool:
        """Whether not even the first process here came up."""
        return self.starts == 1 and self._up_since is None

    def start(self, live: Callable[[], None]) -> int:
        """Fill it, and return the process id."""
        self.starts, self._up_since, self.due = self.starts + 1, None, None
        self.pid = fork(live, self.child.name)
        return self.pid

    def is_up(self) -> None:
        """Note that its process has begun its work."""
        self._up_since = monotonic()

    def ended(self) -> int | None:
        """Return the status of its process, as subprocess has it, when that has ended."""
        if self.pid is None:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def start_again(self) -> None:
        """Say when: at once, or later where that went wrong a short while ago."""
        self.past = after_end(self.past, None if self._up_since is None else monotonic() - self._up_since)
        self.due = monotonic() + self.past.pause

    def kill(self) -> None:
        """End its process, also one that is stopped (SIGSTOP)."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None
