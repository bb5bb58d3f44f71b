"""A time limit that begins with what is limited: how long a busy machine takes until then does not count."""

from threading import Event, Thread
from types import ModuleType
from typing import Self

import pytest

from memberships_export.adapters.http.watchdog import TimeLimit
from rig.waiting import PATIENCE_SECONDS


def limit_begins_with(begun: Event, client: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the client's calls their whole time from this event on."""

    class Late(TimeLimit):
        def __enter__(self) -> Self:
            Thread(target=self._begin).start()
            return self

        def _begin(self) -> None:
            if begun.wait(PATIENCE_SECONDS):
                super().__enter__()

    monkeypatch.setattr(client, "TimeLimit", Late)
