"""A service of many processes: what dies is started again, what is told to end ends, and nothing is lost or doubled."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from memberships_export.adapters.embedded.backup.half_restored import GROWING
from rig.loopback import free_port
from rig.services.fake_memberships import FakeMemberships
from rig.services.sendgrid_behaviour import status
from rig.waiting import PATIENCE_SECONDS
from tests.e2e.test_metrics import scraped
from tests.life.live_service import LiveService, live_service
from tests.life.patient import PATIENT

WORKERS = ["worker-1", "worker-2"]
ALL = ["api-1", *WORKERS]
Service = LiveService[FakeMemberships]


@contextmanager
def many(folder: Path, sends: tuple[Any, ...] = (), *, patient: bool = False, **settings: str) -> Iterator[Service]:
    """Start `serve` with one API process and two workers, and wait until all of them were started.

    `patient`: they may take as long as they need to stop.
    """
    with live_service(folder, 20, sends, **{"WORKERS": "2"} | settings) as service:
        service.program = PATIENT if patient else service.program
        service.start()
        processes = int(settings.get("API_PROCESSES", "1")) + 2
        service.until(lambda: len(service.lines("process_started")) == processes, "all processes")
        working = service.settings.data_dir / "processes"
        service.until(lambda: len(list(working.glob("*.lock"))) == len(WORKERS), "both workers to work")
        yield service


def pids(service: Service) -> dict[str, int]:
    """Return the process that was started last for each name."""
    return {str(line["name"]): int(str(line["pid"])) for line in service.lines("process_started")}


def alive(pid: int) -> bool:
    """Tell whether there is such a process that has not ended."""
    try:
        return state(pid) not in "ZX"
    except FileNotFoundError:
        return False


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def halt(service: Service, name: str) -> None:
    """Stop a process, and wait until it does stand still."""
    pid = pids(service)[name]
    os.kill(pid, signal.SIGSTOP)
    service.until(lambda: state(pid) == "T", "its stop")


def parent(service: Service) -> int:
    assert service.process
    return service.process.pid


def noticed(service: Service) -> list[tuple[str, str]]:
    with urlopen(f"{service.url}/readyz?verbose=1") as answer:  # noqa: S310  (of the service just started)
        return [(one["what"], one["by"]) for one in json.load(answer)["noticed"]]


def ended(service: Service) -> int:
    assert service.process
    return service.process.wait(PATIENCE_SECONDS)


def test_one_process_answers_and_each_worker_works_while_others_hang(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        service.memberships.follow("hang", "hang")
        for query in ("", "?format=xlsx"):
            service.request(query)
        service.until(lambda: len(service.memberships.calls) == 2, "both workers to ask")

        assert sorted(pids(service)) == ALL
        assert len({*pids(service).values(), parent(service)}) == 4
        assert len(list(Path(f"/proc/{parent(service)}/task").iterdir())) == 1, "a process with threads must not fork"
        assert [Path(f"/proc/{pids(service)[name]}/comm").read_text().strip() for name in ALL] == ALL


def test_an_export_goes_on_when_its_worker_is_killed_and_the_worker_is_there_again(tmp_path: Path) -> None:
    with many(tmp_path, MEMBERSHIPS_TIMEOUT_SECONDS="300") as service:
        service.memberships.follow("ok", "hang")
        answer = service.request()
        assert answer
        service.until(lambda: len(service.memberships.calls) == 2, "the second page to be asked for")
        before = pids(service)
        for name in WORKERS:  # one of them has it
            os.kill(before[name], signal.SIGKILL)

        assert service.completed(str(answer["exportId"]))["status"] == "completed", service.log()
        assert len(service.sendgrid.accepted) == 1
        service.until(lambda: len(service.lines("process_started")) == 5, "both to be there again")
        told = service.lines("process_ended")
        assert sorted(str(line["name"]) for line in told) == WORKERS
        assert {line["level"] for line in told} == {"WARNING"}
        assert {line["reason"] for line in told} == {
            "Signal 9 (SIGKILL): most likely the machine ran out of memory, or somebody killed it."
        }
        again = service.lines("process_started")[3:]
        assert sorted((line["name"], line["starts"]) for line in again) == [(name, "2") for name in WORKERS]
        assert pids(service)["api-1"] == before["api-1"]


def test_a_request_that_comes_while_the_api_is_dead_is_answered_by_the_next_one(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        first, port = pids(service)["api-1"], int(service.url.rpartition(":")[2])
        halt(service, "api-1")
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            os.kill(first, signal.SIGKILL)

            assert client.recv(4096).startswith(b"HTTP/1.1 200"), (
                "the parent keeps the socket open, and what waits there"
            )
        service.until(lambda: pids(service)["api-1"] != first, "the line about what has answered already")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_all", [False, True], ids=["to the parent", "to the group"])
def test_a_signal_ends_all_processes_well(tmp_path: Path, number: signal.Signals, *, to_all: bool) -> None:
    with many(tmp_path, patient=True) as service:
        children = pids(service)
        (os.killpg if to_all else os.kill)(parent(service), number)

        assert ended(service) == 0
        assert [name for name, pid in children.items() if alive(pid)] == []
        assert [line["signal"] for line in service.lines("stopping")] == [str(int(number))]
        assert [line["clean"] for line in service.lines("stopped") if "clean" in line] == ["true"], service.log()


def test_an_api_process_that_alone_is_told_to_end_is_followed_by_another(tmp_path: Path) -> None:
    with many(tmp_path, patient=True) as service:
        os.kill(pids(service)["api-1"], signal.SIGTERM)
        service.reconnect()  # a connection that the first one has may end with it
        assert service.request(), "somebody answers all the time: connections wait at the socket of the parent"

        service.until(lambda: service.lines("process_ended"), "the end of the one that alone was told to end")
        [line] = service.lines("process_ended")
        assert (line["name"], line["reason"]) == ("api-1", "It ended as it was told to, but not by us.")
        service.reconnect()
        assert service.request()


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        halt(service, "worker-1")  # so that there is time for the second
        os.killpg(parent(service), signal.SIGINT)
        service.until(lambda: service.lines("stopping"), "the first signal to be heard")
        os.killpg(parent(service), signal.SIGINT)

        assert ended(service) == 0
        assert "Traceback" not in service.log()


def test_all_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        children = pids(service)
        os.kill(parent(service), signal.SIGKILL)
        ended(service)

        service.until(lambda: not any(alive(pid) for pid in children.values()), "the end of all children")
        service.start()  # the port is free
        assert service.request()


def test_a_child_that_stands_still_keeps_the_service_no_longer_than_five_seconds(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        children = pids(service)
        halt(service, "worker-2")
        os.kill(parent(service), signal.SIGTERM)

        assert ended(service) == 0
        assert [name for name, pid in children.items() if alive(pid)] == []
        reasons = {line["name"]: line["reason"] for line in service.lines("process_ended")}
        assert reasons["worker-2"] == "It did not stop in time, and was killed: what it left undone is on the record."
        assert set(reasons.values()) == {reasons["worker-2"]}, "a slow machine may have kept others"
        assert [line["clean"] for line in service.lines("stopped") if "clean" in line] == ["false"]


def test_a_child_that_cannot_be_started_any_more_ends_the_service(tmp_path: Path) -> None:
    with many(tmp_path) as service:
        children = pids(service)
        (service.settings.data_dir / GROWING).mkdir()  # as a restore that was cut short
        os.kill(children["worker-2"], signal.SIGKILL)

        assert ended(service) == 1
        assert "worker-2 could not be started: the log above says why." in service.log()
        pauses = [line["pause"] for line in service.lines("process_ended") if line["name"] == "worker-2"]
        assert pauses == ["0", "1", "2", "4", "8", "16"][: len(pauses)]
        assert [name for name, pid in children.items() if alive(pid)] == []


def test_what_keeps_the_service_from_starting_is_told_once(tmp_path: Path) -> None:
    with (
        FakeMemberships(rows=1) as other,
        live_service(tmp_path, 1, WORKERS="2", METRICS_PORT=str(other.port)) as service,
    ):
        service.start()

        assert ended(service) == 1
        assert service.log().count("Cannot listen on") == 1
        assert len(service.lines("process_started")) == 1
        assert service.lines("process_ended") == []


def test_two_processes_answer_on_one_port(tmp_path: Path) -> None:
    with many(tmp_path, API_PROCESSES="2") as service:
        service.until(lambda: len(service.lines("limits")) == 2, "the second to answer")
        children = pids(service)
        for stopped in ("api-1", "api-2"):
            halt(service, stopped)
            service.reconnect()
            assert service.request(), "the other one answers"
            os.kill(children[stopped], signal.SIGCONT)


def test_workers_that_drain_end_when_all_have_found_nothing(tmp_path: Path) -> None:
    with live_service(tmp_path, 20) as service:
        service.start(role="api")
        queries = ["", "?format=xlsx", "?format=jsonl", "?preset=raw", "?language=de", "?language=fr"]
        answers = [service.request(query) for query in queries]

        drained = service.start_worker("--workers", "3", "--drain")

        assert drained.wait(PATIENCE_SECONDS) == 0
        assert {service.status(str(answer["exportId"]))["status"] for answer in answers if answer} == {"completed"}
        assert len(service.sendgrid.accepted) == len(queries)
        assert [line["drained"] for line in service.lines("stopping")] == ["true"]
        assert sorted(pids(service)) == ["worker-1", "worker-2", "worker-3"]
        assert service.lines("process_ended") == []


def test_what_a_worker_notices_the_api_shows(tmp_path: Path) -> None:
    with many(tmp_path, (status(401),)) as service:
        service.request()
        service.until(lambda: service.lines("refused"), "the refusal")

        service.until(lambda: noticed(service), "what was noticed to be shown")

        assert noticed(service) == [("refused", "mail_service")]


def test_restarts_are_counted(tmp_path: Path) -> None:
    port = free_port()
    with many(tmp_path, METRICS_PORT=str(port)) as service:
        os.kill(pids(service)["worker-2"], signal.SIGKILL)
        name = ("memberships_export_process_restarts_total", "")
        service.until(lambda: scraped(port).get(name) == 1, "the restart, as /metrics says")


def test_workers_share_what_mails_take_loaded_once(tmp_path: Path) -> None:
    with live_service(tmp_path, 0, WORKERS="2") as service:
        service.secrets = {"PYTHONPROFILEIMPORTTIME": "1"}
        service.start()
        service.until(lambda: len(service.lines("process_started")) == 3, "all processes")

        assert len(re.findall(r"\| +jinja2$", (tmp_path / "log.txt").read_text(), re.MULTILINE)) == 1
