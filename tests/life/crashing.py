"""A worker process that can die, or stand still, before or after any call it makes to the outside."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from memberships_export.ports import Ports


class Crash(BaseException):
    """The process is gone: no handler of the code under test may catch this."""


class Moments:
    """Counts the moments before and after each call to a port; at the chosen one something happens."""

    def __init__(self, happens_at: int | None, happening: Callable[[], None] | None = None) -> None:
        """`happens_at`: which moment, from 1. `happening`: what; without one the process dies."""
        self._left = happens_at
        self._happening = happening
        self.count = 0
        self.dead = False

    def over(self, ports: Ports) -> Ports:
        """Put a watch on every port. The clock is left alone: reading it has no effect."""
        names = ("store", "queue", "dead_letters", "files", "erasures", "mailer", "source")
        watched: dict[str, Any] = {name: _Watched(getattr(ports, name), self) for name in names}
        return replace(ports, **watched)

    def pass_one(self) -> None:
        """Called before and after each call."""
        if self.dead:
            raise Crash
        self.count += 1
        if self._left is None or self.count != self._left:
            return
        if self._happening is None:
            self.dead = True
            raise Crash
        self._happening()


class _Watched:
    def __init__(self, port: object, moments: Moments) -> None:
        self._port = port
        self._moments = moments

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def watched(*args: object, **kwargs: object) -> object:
            self._moments.pass_one()
            answer = found(*args, **kwargs)
            self._moments.pass_one()
            return _Watched(answer, self._moments) if name == "ask" else answer

        return watched
