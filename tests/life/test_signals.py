"""A signal ends a process whichever of its threads the system gives it to: to which one is chance."""

import ctypes
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rig.waiting import PATIENCE_SECONDS
from tests.life.live_service import ROOT, live_service
from tests.life.test_many_processes import many, pids

FAKES = ("fake_memberships", "fake_sendgrid", "apis.every")


def tell_another_thread(pid: int, number: signal.Signals) -> None:
    """Give a signal to a thread that is not the main one."""
    other = max(int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir())
    assert other != pid, "it has no other thread"
    assert ctypes.CDLL(None).tgkill(pid, other, number) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_of_one_process_ends(tmp_path: Path, number: signal.Signals) -> None:
    with live_service(tmp_path, 0) as service:
        service.start()
        assert service.process
        asked = service.request()
        assert asked
        service.completed(asked["exportId"])  # so the main thread has started all others, and waits

        tell_another_thread(service.process.pid, number)

        assert service.process.wait(PATIENCE_SECONDS) == 0
        assert [line["signal"] for line in service.lines("stopping")] == [str(int(number))]


def test_one_of_many_processes_ends(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        tell_another_thread(pids(service)["api-1"], signal.SIGTERM)

        service.until(lambda: service.lines("process_ended"), "its end")


@pytest.mark.parametrize("name", FAKES)
def test_a_fake_that_runs_as_a_process_ends(name: str) -> None:
    arguments = ["stripe"] if name == "apis.every" else []
    with subprocess.Popen(
        [sys.executable, "-m", f"rig.services.{name}", *arguments], cwd=ROOT, stdout=subprocess.PIPE
    ) as fake:
        assert fake.stdout
        said = fake.stdout.readline().decode()  # its address, or its port alone
        with socket.create_connection(("127.0.0.1", int(said.strip().rpartition(":")[2]))) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert client.recv(1), "its main thread waits by the time that another has answered"

        tell_another_thread(fake.pid, signal.SIGTERM)

        assert fake.wait(PATIENCE_SECONDS) == 0
