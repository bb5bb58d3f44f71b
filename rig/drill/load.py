"""Members who ask for exports all the time, whatever happens to the service."""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from rig.drill.local_service import LocalService

_PAUSE_SECONDS: Final = 0.5


class Load:
    """One new member after the other, while it is entered."""

    def __init__(self, service: LocalService) -> None:
        self._service = service
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _ask(self) -> None:
        number = 0
        while not self._ending.wait(_PAUSE_SECONDS):
            member = self._service.member(f"member-{(number := number + 1)}")
            with suppress(AssertionError):  # it is away, or refuses the token: members live with that
                member.request()
            member.close()
