"""The clock of one process on one machine: it never jumps, whatever becomes of the clock of the system."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

log = logging.getLogger(__name__)
_JUMP = timedelta(seconds=5)
_RATE = 4  # it gains or loses at most a quarter of the time that passes
_LONGEST = timedelta(minutes=1)  # of a pause between two looks, however long it was


def seconds_passed() -> float:
    """Read a clock that nobody sets. On Linux it also counts the time that the machine was suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """Begins with the time of the system, and then counts by itself.

    When the clock of the system is set, it runs faster or slower until both agree again: no lease, no wait for evidence
    is over at once, and none lasts much longer.
    """

    def __init__(self, wall: Callable[[], datetime], passed: Callable[[], float] = seconds_passed) -> None:
        """`wall`: the time of the system. `passed`: seconds since any moment."""
        self._wall, self._passed = wall, passed
        self._now, self._read_at = wall(), passed()
        self._jumped = False
        self._reading = Lock()

    def __call__(self) -> datetime:
        """Return the time now; never an earlier one than before."""
        with self._reading:
            read_at = self._passed()
            passed = timedelta(seconds=read_at - self._read_at)
            ahead = self._wall() - (self._now + passed)
            self._tell(ahead)
            most = min(passed, _LONGEST) / _RATE
            self._now, self._read_at = self._now + passed + max(-most, min(ahead, most)), read_at
            return self._now

    def _tell(self, ahead: timedelta) -> None:
        """Say it once, and again only after both clocks have agreed."""
        jumped = abs(ahead) > _JUMP
        if jumped and not self._jumped:
            log.warning(
                "seconds=%.0f event=clock_jumped reason=The clock of this machine was set by so much. This process "
                "follows slowly, by a quarter of a second in each; to make it follow at once, restart it.",
                ahead.total_seconds(),
            )
        self._jumped = jumped
