"""All connections together: when there are too many, those that ask for nothing make room for those that do."""

import logging
from typing import Protocol

log = logging.getLogger(__name__)
_CROWDED = (
    "connections=%d event=crowded reason=All are taken; what asks for nothing is closed, else the new one refused."
)
_LINGERING = 32  # refused ones that may take their time to read why


class Guest(Protocol):
    """A connection, as far as the crowd goes."""

    def give_way(self) -> None:
        """Close: another one needs the room."""
        ...


class Crowd:
    """Counts connections. Used in the event loop only."""

    def __init__(self, most: int) -> None:
        """`most`: how many there may be at the same time."""
        self._most = most
        self._inside: set[Guest] = set()
        self._waiting: dict[Guest, None] = {}  # in order, the one that has waited longest first
        self._leaving: set[Guest] = set()

    def enter(self, guest: Guest) -> bool:
        """Take in a new one; false when all are busy."""
        if len(self._inside) >= self._most:
            log.warning(_CROWDED, self._most)
            if not self._one_gives_way():
                return False
        self._inside.add(guest)
        self.waits(guest)
        return True

    def waits(self, guest: Guest) -> None:
        """Note that it has no request under way."""
        if guest in self._inside:
            self._waiting[guest] = None

    def works(self, guest: Guest) -> None:
        """Note that its request is whole enough to be answered."""
        self._waiting.pop(guest, None)

    def leaves(self, guest: Guest) -> bool:
        """Count it no more; false when too many are leaving already, so that it must go at once."""
        self.gone(guest)
        if len(self._leaving) >= _LINGERING:
            return False
        self._leaving.add(guest)
        return True

    def gone(self, guest: Guest) -> None:
        """Leave the place of a closed connection to others."""
        self._inside.discard(guest)
        self._leaving.discard(guest)
        self._waiting.pop(guest, None)

    def _one_gives_way(self) -> bool:
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self.gone(longest)
        longest.give_way()
        return True
