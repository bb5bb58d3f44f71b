"""The real command line, in a process that kills itself with SIGKILL at a chosen call to the outside.

python -m tests.life.killable POINT COMMAND…      POINT is PORT.METHOD:before|after:N, e.g. store.replace:after:2
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from memberships_export.bootstrap import backend
from memberships_export.entrypoints.cli.main import run
from memberships_export.ports import FileSink, Ports
from memberships_export.settings import Settings

_PORTS = ("intake", "store", "queue", "dead_letters", "files", "erasures", "kept_mails", "mailer", "source")


class KillPoint:
    """Counts passages of one named point; the N-th is the last thing this process does."""

    def __init__(self, text: str) -> None:
        self._name, when, number = text.split(":")
        self._when, self._number = when, int(number)
        self._seen = Counter[str]()
        self._lock = Lock()

    def passed(self, name: str, when: str) -> None:
        if (name, when) != (self._name, self._when):
            return
        with self._lock:
            self._seen[name] += 1
            if self._seen[name] == self._number:
                os.kill(os.getpid(), signal.SIGKILL)

    def over(self, ports: Ports) -> Ports:
        watched: dict[str, Any] = {name: _Watched(name, getattr(ports, name), self) for name in _PORTS}
        return replace(ports, **watched)


class _Watched:
    def __init__(self, name: str, port: Any, point: KillPoint) -> None:  # noqa: ANN401
        self._name, self._port, self._point = name, port, point

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401
        found = getattr(self._port, method)
        if method == "writing":
            return self._writing
        return self._watch(method, found) if callable(found) else found

    def _watch(self, method: str, found: Any) -> Any:  # noqa: ANN401
        name = f"{self._name}.{method}"

        def watched(*args: object, **kwargs: object) -> object:
            self._point.passed(name, "before")
            answer = found(*args, **kwargs)
            if answer is not None or method != "receive":  # an empty queue is no moment in an export's life
                self._point.passed(name, "after")
            return _Watched(self._name, answer, self._point) if method == "ask" else answer

        return watched

    @contextmanager
    def _writing(self, key: str) -> Iterator[FileSink]:
        with self._port.writing(key) as sink:
            yield _Watched("sink", sink, self._point)
        self._point.passed("files.written", "after")


def main() -> None:
    point, sys.argv = KillPoint(sys.argv[1]), ["memberships-export", *sys.argv[2:]]
    connect = backend.connect

    def killable(settings: Settings, memberships_url: str | None) -> Ports:
        return point.over(connect(settings, memberships_url))

    backend.connect = killable
    run()


if __name__ == "__main__":
    main()
