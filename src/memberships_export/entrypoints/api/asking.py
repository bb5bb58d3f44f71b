"""Asking for exports without keeping the event loop waiting: whatever waits at the same time becomes one write."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Thread

from starlette.concurrency import run_in_threadpool

from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.service.user.request import Accepted, Outcome, Wish

_LINGER = 10.0  # seconds that the thread waits for more before it ends


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a wish, and whether the service is paused for it."""

    accepted: Accepted
    paused: bool


Told = Asked | Exception


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A wish, and who waits for what becomes of it. When that one is gone, the export is made all the same."""

    wish: Wish
    told: "asyncio.Future[Told]"


class Asking:
    """Hands wishes to one thread, which takes all that came while it was writing: they wait for the disk together.

    Where each export is a write of its own, as on AWS, each takes a thread of the pool instead.
    """

    def __init__(self, api: ExportsApi) -> None:
        """Start nothing yet: the first wish does."""
        self._api = api
        self._most = api.request.intake.most
        self._changed = Condition()  # for whoever changes the two below
        self._waiting: deque[_Waiting] = deque()
        self._running = False

    async def __call__(self, wish: Wish) -> Asked:
        """Ask as `RequestExport` does, and raise what it raises."""
        told = await (self._told(wish) if self._most > 1 else self._in_the_pool(wish))
        if isinstance(told, Exception):
            raise told
        return told

    async def _in_the_pool(self, wish: Wish) -> Told:
        (told,) = await run_in_threadpool(self._ask, [wish])
        return told

    def _told(self, wish: Wish) -> "asyncio.Future[Told]":
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._hand_over(_Waiting(wish, told))
        return told

    def _hand_over(self, waiting: _Waiting) -> None:
        with self._changed:
            if not self._running:
                Thread(target=self._run, name="accepting", daemon=True).start()
                self._running = True
            self._waiting.append(waiting)
            self._changed.notify()

    def _run(self) -> None:
        while waiting := self._next():
            _tell(waiting, self._ask([one.wish for one in waiting]))

    def _ask(self, wishes: Sequence[Wish]) -> Sequence[Told]:
        try:
            return [self._asked(outcome) for outcome in self._api.request.together(wishes)]
        except Exception as error:  # noqa: BLE001  (nobody may wait for ever)
            return [error] * len(wishes)

    def _asked(self, outcome: Outcome) -> Told:
        if isinstance(outcome, Exception):
            return outcome
        return Asked(outcome, paused=outcome.export.unfinished and self._api.is_paused())

    def _next(self) -> Sequence[_Waiting]:
        with self._changed:
            if not self._waiting:
                self._changed.wait(_LINGER)
            count = min(len(self._waiting), self._most)
            self._running = count > 0
            return [self._waiting.popleft() for _ in range(count)]


def _tell(waiting: Sequence[_Waiting], told: Sequence[Told]) -> None:
    """Wake each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Told]]] = {}
    for one, outcome in zip(waiting, told, strict=True):
        by_loop.setdefault(one.told.get_loop(), []).append((one, outcome))
    for loop, ended in by_loop.items():
        with suppress(RuntimeError):  # it has ended, and with it those who waited
            loop.call_soon_threadsafe(_set, ended)


def _set(ended: Sequence[tuple[_Waiting, Told]]) -> None:
    for waiting, outcome in ended:
        if not waiting.told.done():
            waiting.told.set_result(outcome)
