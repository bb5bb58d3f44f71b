"""The pipes between the parent and its children. They say little: that the other side is there, and what was noticed.

Children stop when the lifeline of their kind ends. The parent alone holds its other end, so it ends with the parent
too, however that dies.
"""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import msgspec

_BLOCK = 4096
_LONGEST_NOTE = 512  # no longer than what the kernel writes as a whole, whoever else writes (PIPE_BUF)


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties a child to its parent. `number`: which child it is."""

    number: int
    lifeline: int
    reports: int
    notes_in: int
    notes_out: int

    def up(self) -> None:
        """Tell the parent that this child has begun its work. A parent that is gone need not know."""
        with suppress(BrokenPipeError):
            os.write(self.reports, bytes([self.number]))

    def note(self, what: str, by: str) -> None:
        """Tell the leading child what this one noticed. When it does not read, nobody waits for it."""
        line = msgspec.json.encode((what, by))[: _LONGEST_NOTE - 1] + b"\n"
        with suppress(BlockingIOError):
            os.write(self.notes_out, line)

    def notes(self, tell: Callable[[str, str], None]) -> None:
        """Hand on what other children notice, from now on: in the leading child."""
        threading.Thread(target=self._notes, args=(tell,), name="notes", daemon=True).start()

    def _notes(self, tell: Callable[[str, str], None]) -> None:
        with os.fdopen(os.dup(self.notes_in), "rb") as lines:
            for line in lines:
                with suppress(msgspec.DecodeError):
                    tell(*msgspec.json.decode(line, type=tuple[str, str]))


class Pipes:
    """The parent's side."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """`kinds`: of children; each has a lifeline of its own, so that one can end before the other."""
        self._reports = os.pipe()
        self._notes = os.pipe()  # both ends stay open here: what was noticed outlives who should have read it
        self._lifelines = {kind: os.pipe() for kind in kinds}
        os.set_blocking(self._reports[0], False)
        os.set_blocking(self._notes[1], False)

    @property
    def reports(self) -> int:
        """What can be read when a child is up."""
        return self._reports[0]

    def who_is_up(self) -> list[int]:
        """Return the numbers of the children that have said so since the last call."""
        with suppress(BlockingIOError):
            return list(os.read(self._reports[0], _BLOCK))
        return []

    def end(self, kind: str) -> None:
        """Let all children of this kind stop."""
        reading, writing = self._lifelines.pop(kind)
        os.close(writing)
        os.close(reading)

    def tie(self, kind: str, number: int) -> Tie:
        """In a child: keep its own ends, and close the parent's."""
        os.close(self._reports[0])
        for other, (reading, writing) in self._lifelines.items():
            os.close(writing)
            if other != kind:
                os.close(reading)
        return Tie(number, self._lifelines[kind][0], self._reports[1], *self._notes)
