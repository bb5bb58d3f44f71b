"""The parent of all processes of a service: it starts them, starts again what died, and ends all together.

It does no work, has no threads and opens no database. So it can fork at any time, and nothing that kills a worker
touches it.
"""

import gc
import logging
import os
import select
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from types import FrameType

from memberships_export.entrypoints.cli.serve.child import HANDLED
from memberships_export.entrypoints.cli.serve.pipes import Pipes, Tie
from memberships_export.entrypoints.cli.serve.places import Place
from memberships_export.entrypoints.cli.serve.restarting import how_it_ended
from memberships_export.entrypoints.cli.serve.roles import Child

log = logging.getLogger(__name__)
# Workers first: while they come to a good place to stop, they still fetch from the API. Less than five seconds in all.
_STOP_SECONDS = {"worker": 3.3, "api": 1.5}
_ENDED = "name=%s pid=%d pause=%.0f event=process_ended reason=%s"
_SIGNALS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Ending:
    """Why it ends. `signal`: 0 where none came. `status`: what the command ends with, where that has been told."""

    signal: int = 0
    drained: bool = False
    status: int = 0
    hopeless: str = ""
    """The child that could not be started."""


class Supervisor:
    """Looks after the children."""

    def __init__(
        self,
        children: Sequence[Child],
        run: Callable[[Child, Tie, int], None],
        load: Callable[[], None],
    ) -> None:
        """`run`: the work of a child, in its process, which is the n-th in its place.

        `load` loads what all but the first share.
        """
        self._places = [Place(number, child) for number, child in enumerate(children)]
        self._run, self._load = run, load
        self._pipes = Pipes(dict.fromkeys(child.kind for child in children))
        self._signals = os.pipe()
        self._ending: Ending | None = None
        self._clean = True

    def __call__(self, started: Callable[[], None]) -> Ending:
        """Run until a signal comes, all is drained, or a child cannot be started. `started`: the first one is up."""
        self._take_signals()
        gc.freeze()  # so the collector of a child writes to no page that it shares with the others
        self._start(self._places[0])  # alone: what is wrong at the start is told once
        while self._ending is None:
            self._wait(min((place.due for place in self._places if place.due is not None), default=None))
            if self._the_first_has_just_come_up() and self._ending is None:
                self._start_others()
                started()
            self._reap()
            self._start_what_is_due()
        return self._ending

    def stop(self) -> bool:
        """End all children; true when all of them ended well and in time."""
        for kind, seconds in _STOP_SECONDS.items():
            self._stop(kind, seconds)
        for place in self._places:
            if place.pid is not None:
                reason = "It did not stop in time, and was killed: what it left undone is on the record."
                log.warning(_ENDED, place.child.name, place.pid, 0, reason)
                place.kill()
                self._clean = False
        return self._clean

    # --- Starts ---

    def _start(self, place: Place) -> None:
        child, starts = place.child, place.starts + 1

        def live() -> None:
            for end in self._signals:
                os.close(end)
            self._run(child, self._pipes.tie(child.kind, place.number), starts)

        pid = place.start(live)
        log.info("name=%s pid=%d starts=%d event=process_started", child.name, pid, starts)

    def _the_first_has_just_come_up(self) -> bool:
        """Tell once: what is wrong with the settings the first child tells, alone. When it is up nothing is."""
        return 0 in self._hear_who_is_up() and not any(place.starts for place in self._places[1:])

    def _start_others(self) -> None:
        self._load()
        gc.freeze()
        for place in self._places[1:]:
            self._start(place)

    def _start_what_is_due(self) -> None:
        for place in self._places:
            if place.due is not None and place.due <= monotonic() and self._ending is None:
                self._start(place)

    # --- What happens ---

    def _take_signals(self) -> None:
        for end in self._signals:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._signals[1], warn_on_full_buffer=False)
        for number in HANDLED:
            signal.signal(number, _leave_it_to_the_pipe)

    def _wait(self, until: float | None) -> None:
        """Sleep until a signal, the news of a child, or that moment."""
        seconds = None if until is None else max(0.0, until - monotonic())
        ready, _, _ = select.select([self._signals[0], self._pipes.reports], [], [], seconds)
        if self._signals[0] in ready:
            for number in os.read(self._signals[0], _SIGNALS_AT_ONCE):
                if number != signal.SIGCHLD and self._ending is None:
                    self._ending = Ending(signal=number)

    def _hear_who_is_up(self) -> list[int]:
        numbers = self._pipes.who_is_up()
        for number in numbers:
            self._places[number].is_up()
        return numbers

    def _reap(self) -> None:
        for place in self._places:
            pid, status = place.pid, place.ended()
            if pid is None or status is None:
                continue
            if self._ending is not None:
                self._clean = self._clean and status == 0
            elif place.child.roles.drain and status == 0:
                self._drained(place)
            elif place is self._places[0] and place.cannot_begin and status > 0:
                self._ending = Ending(status=status)  # it has told itself what is wrong
            else:
                self._start_again(place, pid, status)

    def _drained(self, place: Place) -> None:
        place.drained = True
        if all(place.drained for place in self._places):
            self._ending = Ending(drained=True)

    def _start_again(self, place: Place, pid: int, status: int) -> None:
        place.start_again()
        log.warning(_ENDED, place.child.name, pid, place.past.pause, how_it_ended(status))
        if place.past.hopeless:
            self._ending = Ending(hopeless=place.child.name)

    def _stop(self, kind: str, seconds: float) -> None:
        end = monotonic() + seconds
        places = [place for place in self._places if place.child.kind == kind]
        if places:
            self._pipes.end(kind)
        while any(place.pid is not None for place in places) and monotonic() < end:
            self._wait(end)
            self._hear_who_is_up()
            self._reap()


def _leave_it_to_the_pipe(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: its number is in the pipe."""
