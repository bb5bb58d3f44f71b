"""The profiles of a process, each read and compiled when it is first needed: a start does not wait for them."""

from collections.abc import Callable
from threading import Lock

from memberships_export.domain.source.reader import Reader


class LazyReaders:
    """Readers: our own contract, and the profile in force, which may be the same. Threads may share it."""

    def __init__(self, own: Callable[[], Reader], current: Callable[[], Reader] | None = None) -> None:
        """`own` and `current` make them, once each; without `current` our own contract is in force."""
        self.only_own = current is None
        self._own = _Once(own)
        self._current = self._own if current is None else _Once(current)

    @property
    def own(self) -> Reader:
        """Our own contract."""
        return self._own()

    @property
    def current(self) -> Reader:
        """The profile in force."""
        return self._current()


class _Once:
    def __init__(self, make: Callable[[], Reader]) -> None:
        self._make, self._made, self._lock = make, list[Reader](), Lock()

    def __call__(self) -> Reader:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]
