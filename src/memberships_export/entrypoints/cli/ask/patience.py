"""Going on through a restart of the service: who watches an export for an hour need not notice it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from memberships_export.entrypoints.cli.ask.refusal import RefusedByService
from memberships_export.entrypoints.cli.exits import CommandError, Unreachable

Given = TypeVar("Given")
_PAUSE = 0.5  # seconds between two tries
# What a proxy in front answers while nothing is behind it, and a service that asks for time.
_PASSES = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """Asks again while the service is away, for up to `seconds` each time; `tell` hears when that begins and ends."""

    seconds: float
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ask(self, read: Callable[[], Given]) -> Given:
        """Read. Raises what `read` raised last when patience has ended, and at once what will not pass."""
        until = self.clock() + self.seconds
        waiting = False
        while True:
            try:
                answer = read()
            except (Unreachable, RefusedByService) as error:
                if not _passes(error) or self.clock() >= until:
                    raise
                if not waiting:
                    self.tell(f"{_first_line(error)} Trying again for up to {_in_words(self.seconds)}.")
                waiting = True
                self.sleep(_PAUSE)
            else:
                if waiting:
                    self.tell("The service answers again.")
                return answer


def _passes(error: Unreachable | RefusedByService) -> bool:
    return error.passes if isinstance(error, Unreachable) else error.status in _PASSES


def _first_line(error: CommandError) -> str:
    return str(error).partition("\n")[0].rstrip(".") + "."


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds > 60 else f"{seconds:g} seconds"  # noqa: PLR2004  (a minute)
