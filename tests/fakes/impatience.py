"""Short limits for nothing but what never ends: a busy machine must not look like a fault."""

from copy import copy
from dataclasses import dataclass
from threading import Event, Thread
from types import ModuleType
from typing import Self

import pytest

from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import Awaited
from rig.waiting import PATIENCE_SECONDS


def limit_begins_with(begun: Event, client: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the client's calls their whole time from this event on."""

    class Late(TimeLimit):
        def __enter__(self) -> Self:
            Thread(target=self._begin, daemon=True).start()  # the event may never come
            return self

        def _begin(self) -> None:
            if begun.wait(PATIENCE_SECONDS):
                super().__enter__()

    monkeypatch.setattr(client, "TimeLimit", Late)


def impatient(source: MembershipsHttp, limits: HttpLimits) -> MembershipsHttp:
    """Return the same source, on the same connections, with other limits."""
    other = copy(source)
    other._limits = limits  # noqa: SLF001  (nobody else has two kinds of patience)
    return other


@dataclass
class ImpatientOnce:
    """A source that is impatient with one of its calls."""

    patient: MembershipsHttp
    limits: HttpLimits
    number: int  # of the call, from 1 on
    calls: int = 0

    @property
    def base_url(self) -> str:
        return self.patient.base_url

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        return self._next().fetch(call, profile)

    def ask(self, call: Call, profile: KnownProfile) -> Awaited:
        return self._next().ask(call, profile)

    def _next(self) -> MembershipsHttp:
        self.calls += 1
        return impatient(self.patient, self.limits) if self.calls == self.number else self.patient
