"""When a child that has ended is started again, and when that makes no sense any more. Pure."""

import signal
from dataclasses import dataclass, replace

_LONG_LIFE_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_FAILED_STARTS = 5
UNCLEAN = 75  # the status of a child whose threads did not stop in time

_USUALLY = {
    signal.SIGKILL: "most likely the machine ran out of memory, or somebody killed it",
    signal.SIGSEGV: "a bug in a library that is no Python",
    signal.SIGABRT: "a bug in a library that is no Python",
    signal.SIGBUS: "a bug in a library that is no Python, or the disk is full",
    signal.SIGILL: "a library was built for another processor",
    signal.SIGHUP: "its terminal was closed",
    signal.SIGXCPU: "a limit of processor time (ulimit -t)",
    signal.SIGXFSZ: "a limit of the size of files (ulimit -f)",
}


@dataclass(frozen=True, slots=True)
class Past:
    """How the processes of one place ended so far.

    `failed_starts`: in a row, before they were up; `short_lives`: in a row, within a minute.
    """

    failed_starts: int = 0
    short_lives: int = 0

    @property
    def pause(self) -> float:
        """Seconds until the next start: none after the first end, then longer and longer."""
        more = self.failed_starts + self.short_lives - 1
        return min(_FIRST_PAUSE_SECONDS * 2 ** (more - 1), _LONGEST_PAUSE_SECONDS) if more > 0 else 0.0

    @property
    def hopeless(self) -> bool:
        """Whether another start would end as the last ones.

        Who was up and died has worked in between: what an export did to it, the export is charged with.
        """
        return self.failed_starts >= _FAILED_STARTS


def after_end(past: Past, seconds_up: float | None) -> Past:
    """Count one more end, of a process that was up for so long; None: never."""
    if seconds_up is None:
        return replace(past, failed_starts=past.failed_starts + 1)
    if seconds_up >= _LONG_LIFE_SECONDS:
        return Past(short_lives=1)
    return Past(short_lives=past.short_lives + 1)


def how_it_ended(status: int) -> str:
    """Put an exit status into words; a signal is a negative number, as for subprocess."""
    if status < 0:
        return _by_signal(-status)
    if status == UNCLEAN:
        return "It ended before all of its threads had: what they left undone is on the record."
    if status == 0:
        return "It ended as it was told to, but not by us."
    return f"Exit status {status}: the lines above say why."


def _by_signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:  # real-time signals have no name
        return f"Signal {number}: somebody sent it."
    usually = _USUALLY.get(signal.Signals(number), "somebody sent it")
    return f"Signal {number} ({name}): {usually}."
