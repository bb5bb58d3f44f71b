"""Lambda on this machine: a function's unpacked bundle in a process of its own, under the runtime client AWS uses.

The process sees the bundle, the runtime client and the standard library: not the project, not its packages, and no
variable of this machine's environment. It is kept warm between invocations and replaced when it has ended.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, Self

from rig.aws.runtime_api import FunctionFailed, Invocation, RuntimeApi
from rig.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from concurrent.futures import Future

REGION: Final = "eu-west-1"
_START_SECONDS: Final = 10.0  # as on AWS
_IDLE_SECONDS: Final = 1.0  # a process that uses no processor for so long does nothing
_CLIENT_MODULES: Final = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
# The bundle first, as on AWS. The arguments of `python -m awslambdaric` begin with the program's name.
_START: Final = (
    "import sys; sys.path[:0] = sys.argv[1:3]; "
    "from awslambdaric.__main__ import main; main(['awslambdaric', sys.argv[3]])"
)


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a deployment says about a function."""

    name: str
    code: Path
    handler: str
    timeout_seconds: float = 30.0
    environment: Mapping[str, str]
    log: Path | None = None  # None: shown where this process shows its own

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:000000000000:function:{self.name}"


class LambdaFunction:
    """One execution environment at a time: it takes one event after the other."""

    def __init__(self, settings: FunctionSettings) -> None:
        self.name = settings.name
        self.timeout_seconds = settings.timeout_seconds  # of the next invocation
        self._settings = settings
        self._client = TemporaryDirectory()
        link_modules(Path(self._client.name), _CLIENT_MODULES)
        self._running: _Environment | None = None
        self._lock = Lock()
        self.starts = 0

    def invoke(self, event: object) -> Any:  # noqa: ANN401  (whatever the handler answers)
        """Return the handler's answer. Raises FunctionFailed, and after the time limit ends the process."""
        environment = self._warm()
        invocation = Invocation(event, self.timeout_seconds)
        try:
            environment.wait(environment.api.ready, _START_SECONDS, "Init")
            environment.offer(invocation)
            return environment.wait(invocation.answer, invocation.limit_seconds, "Task")
        except FunctionFailed:
            if not environment.is_usable():
                self._stop()
            raise

    @property
    def pid(self) -> int:
        """The process that handled the last event."""
        assert self._running, "nothing was invoked yet"
        return self._running.process.pid

    @property
    def seconds_left(self) -> float:
        """How much time the current invocation has left."""
        assert self._running, "nothing was invoked yet"
        return self._running.api.deadline - time()

    def kill(self) -> None:
        """Send SIGKILL to the process, whatever it is doing."""
        with self._lock:
            if self._running:
                self._running.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._client.cleanup()

    def _warm(self) -> "_Environment":
        with self._lock:
            if self._running and self._running.process.poll() is None:
                return self._running
        self._stop()
        with self._lock:
            self.starts += 1
            self._running = _Environment(self._settings, Path(self._client.name))
            return self._running

    def _stop(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running:
            running.close()


class _Environment:
    """One life of a function's process, and the Runtime API it talks to."""

    def __init__(self, settings: FunctionSettings, client: Path) -> None:
        self.api = RuntimeApi(settings.arn)
        with settings.log.open("ab") if settings.log else nullcontext() as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", _START, str(settings.code), str(client), settings.handler],
                env={**_variables(self.api.address, settings), **settings.environment},
                cwd=settings.code,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._watch = Thread(target=self._tell_when_it_ends, name="function-exit")
        self._watch.start()

    def offer(self, invocation: Invocation) -> None:
        self.api.current = invocation  # so that it fails if the process ends before taking it
        self.api.waiting.put(invocation)
        if self.process.poll() is not None:
            self._tell_when_it_ends()

    def wait(self, future: "Future[Any]", seconds: float, what: str) -> Any:  # noqa: ANN401
        """Wait for an end. When the time is over it is the end of the process, as soon as that does nothing.

        As long as it works it may go on: on a busy machine it does not get the time that it would have on AWS.
        """
        patience, end, worked = seconds, monotonic() + seconds + PATIENCE_SECONDS, -1.0
        while True:
            try:
                return future.result(patience)
            except TimeoutError:
                work = self._processor_seconds()
                if work == worked or monotonic() > end:
                    break
                worked, patience = work, _IDLE_SECONDS
        self.process.kill()
        self.process.wait()
        raise FunctionFailed("Sandbox.Timedout", f"{what} timed out after {seconds:.2f} seconds")

    def _processor_seconds(self) -> float:
        """Return what the process has used of a processor (proc(5): the 14th and the 15th word)."""
        try:
            told = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return -1.0  # it has ended
        user, system = told.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def is_usable(self) -> bool:
        """Tell whether it can take a next event: it has started, and has not ended."""
        started = self.api.ready.done() and self.api.ready.exception() is None
        return started and self.process.poll() is None

    def close(self) -> None:
        self.process.kill()
        self._watch.join()
        self.api.close()

    def _tell_when_it_ends(self) -> None:
        status = self.process.wait()
        self.api.fail(FunctionFailed("Runtime.ExitError", f"the process ended with status {status}"))


def link_modules(folder: Path, names: Sequence[str]) -> None:
    """Make installed modules importable from this folder, without the packages that are installed beside them."""
    for name in names:
        spec = find_spec(name)
        assert spec, f"{name} is not installed: make install-dev"
        assert spec.origin
        origin = Path(spec.origin)
        place = origin.parent if spec.submodule_search_locations else origin
        (folder / place.name).symlink_to(place)


def _variables(address: str, settings: FunctionSettings) -> dict[str, str]:
    """Return what Lambda sets by itself, as far as a function of this project could look at it."""
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "LAMBDA_TASK_ROOT": str(settings.code),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
