"""What the simulated AWS can do wrong with a call, as data: refuse it, lose its answer, or keep it waiting."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from rig.waiting import PATIENCE_SECONDS

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(kw_only=True)
class Fault:
    """One fault of the calls with this name (as FakeAws.calls names them) whose path holds `path`.

    `done`: the call takes effect before it is answered with the error, so the client does not know.
    """

    name: str
    path: str = ""
    status: int = 500
    code: str = "InternalError"
    done: bool = False
    times: int = 1

    def answer(self, application: Application, environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        if self.done:
            list(application(environ, lambda *_: None))
        is_s3 = self.name.startswith("S3 ")
        body = _xml(self.code) if is_s3 else json.dumps({"__type": self.code, "message": "made to fail"}).encode()
        kind = "application/xml" if is_s3 else "application/x-amz-json-1.0"
        start_response(f"{self.status} Made To Fail", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]


@dataclass
class Held:
    """A call that waits. `arrived` tells that it is there; `released` lets it and all others go."""

    name: str
    path: str
    arrived: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)


@dataclass
class Faults:
    """The faults to come, each for so many calls."""

    coming: list[Fault] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def hold(self, name: str, path: str = "") -> Held:
        """Keep the calls with this name and path waiting until they are released."""
        held = Held(name, path)
        self.held.append(held)
        return held

    def wait(self, name: str, environ: Mapping[str, Any]) -> None:
        for held in self.held:
            if held.name == name and held.path in environ["PATH_INFO"] and not held.released.is_set():
                held.arrived.set()
                held.released.wait(PATIENCE_SECONDS)

    def take(self, name: str, environ: Mapping[str, Any]) -> Fault | None:
        """Return the fault of this call, if there is one."""
        with self._lock:
            for fault in self.coming:
                if fault.name == name and fault.path in environ["PATH_INFO"]:
                    fault.times -= 1
                    if not fault.times:
                        self.coming.remove(fault)
                    return fault
        return None


def _xml(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made to fail</Message></Error>".encode()
