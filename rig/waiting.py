"""Waiting for what others do, without a judgement of how fast the machine is.

A wait ends badly when nothing moves any more, or when something goes on for ever. Where progress cannot be seen
(a thread's event, the end of a process) wait for PATIENCE_SECONDS.
"""

import os
import signal
from collections.abc import Callable
from functools import partial
from threading import Event
from time import monotonic
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 120.0  # without any progress, on a machine that has much else to do
LAST_RESORT_SECONDS: Final = 1800.0
_LOOK_EVERY_SECONDS: Final = 0.02
Seen = TypeVar("Seen")


def until(
    look: Callable[[], Seen], what: str, *, progress: Callable[[], object], tell: Callable[[], str] = lambda: ""
) -> Seen:
    """Look again and again until there is something to see, and return it.

    `progress` tells what was done so far: whenever it changes, patience begins anew. `tell` says more when it ends.
    """
    began = moved = monotonic()
    before = progress()
    while not (seen := look()):
        now, done = monotonic(), progress()
        moved, before = (now, done) if done != before else (moved, before)
        assert now - moved < PATIENCE_SECONDS, f"Nothing moved for {PATIENCE_SECONDS:.0f} s: {what}.\n{tell()}"
        assert now - began < LAST_RESORT_SECONDS, f"It went on for {LAST_RESORT_SECONDS:.0f} s: {what}.\n{tell()}"
        Event().wait(_LOOK_EVERY_SECONDS)
    return seen


def signals_to_end() -> Callable[[], object]:
    """Have SIGTERM and SIGINT come into a pipe, and return the wait for the first of them.

    A handler that sets an event would not do: the main thread runs it, which does not wake when another thread gets
    the signal.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _received, _frame: None)  # its number goes into the pipe
    return partial(os.read, reading, 1)
