"""`/metrics` on its port, asked by HTTP as Prometheus and others do."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.serve.metrics_port import MetricsPort
from rig.loopback import free_port
from rig.waiting import PATIENCE_SECONDS, until


class OnePage:
    """A page of a test; `turn` is shared by those of which one may answer."""

    def __init__(self, turn: "threading.Lock | None" = None, say: Callable[[], bytes] = lambda: b"numbers\n") -> None:
        self.turn = turn or threading.Lock()
        self.mine = False
        self.say = say
        self.refreshed = 0
        self.accepted: list[str] = []

    def take_turn(self) -> bool:
        self.mine = self.mine or self.turn.acquire(blocking=False)
        return self.mine

    def give_up_turn(self) -> None:
        if self.mine:
            self.turn.release()
        self.mine = False

    def refresh(self) -> None:
        self.refreshed += 1

    def __call__(self, accepts: str) -> tuple[bytes, str]:
        self.accepted.append(accepts)
        return self.say(), "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def answering(page: OnePage, port: int) -> Iterator[MetricsPort]:
    opened = MetricsPort(page, "127.0.0.1", port)
    opened.start()
    try:
        yield opened
    finally:
        opened.stop()


@pytest.fixture
def page() -> OnePage:
    return OnePage()


@pytest.fixture
def port(page: OnePage) -> Iterator[int]:
    port = free_port()
    with answering(page, port):
        yield port


def ask(port: int, method: str = "GET", path: str = "/metrics", accept: str = "*/*") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request(method, path, headers={"Accept": accept})
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def body(answer: http.client.HTTPResponse) -> bytes:
    return bytes(answer.body)  # type: ignore[attr-defined]


def test_get_answers_with_the_text_and_its_content_type(page: OnePage, port: int) -> None:
    answer = ask(port, accept="application/openmetrics-text")

    assert (answer.status, body(answer)) == (200, b"numbers\n")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert page.accepted == ["application/openmetrics-text"]
    assert page.refreshed >= 1, "the store was read before the first answer"


def test_head_answers_without_the_text(port: int) -> None:
    answer = ask(port, "HEAD")

    assert (answer.status, body(answer), answer.headers["Content-Length"]) == (200, b"", "8")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_another_method_is_not_allowed(port: int, method: str) -> None:
    answer = ask(port, method)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/memberships/export", "/healthz", "/metricsx"])
def test_nothing_else_is_here(port: int, path: str) -> None:
    assert ask(port, path=path).status == 404


def test_a_query_changes_nothing(port: int) -> None:
    assert ask(port, path="/metrics?name=x").status == 200


def test_what_is_no_http_is_refused_and_others_are_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as strange:
        strange.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        strange.recv(1000)

        assert ask(port).status == 200


def test_connections_that_say_nothing_keep_nobody_from_the_numbers(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    try:
        assert ask(port).status == 200
    finally:
        for one in silent:
            one.close()


def test_a_page_that_breaks_is_500_and_the_next_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    answers = [lambda: b"again\n"]

    def say() -> bytes:
        if answers:
            return answers.pop()()
        raise ZeroDivisionError

    page, port = OnePage(say=say), free_port()
    answers.clear()
    with answering(page, port):
        assert ask(port).status == 500
        answers.append(lambda: b"again\n")
        assert body(ask(port)) == b"again\n"
    assert "event=internal_error" in caplog.text


def test_a_port_of_another_program_is_told_at_the_start_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        page = OnePage()

        with pytest.raises(CommandError, match=f"port {number} for /metrics.*MEMBERSHIPS_EXPORT_METRICS_PORT"):
            MetricsPort(page, "127.0.0.1", number).start()
        assert not page.mine


def test_the_next_process_takes_over_when_the_one_that_answers_is_gone() -> None:
    turn, port = threading.Lock(), free_port()
    first, second = OnePage(turn), OnePage(turn, lambda: b"second\n")
    with answering(first, port) as one, answering(second, port):
        assert body(ask(port)) == b"numbers\n"
        one.stop()

        until(lambda: second.mine and second.refreshed, "the second to take over", progress=lambda: second.refreshed)
        assert body(ask(port)) == b"second\n"


def test_the_port_is_closed_when_the_process_stops() -> None:
    port = free_port()
    with answering(OnePage(), port):
        assert ask(port).status == 200

    with pytest.raises(ConnectionRefusedError):
        ask(port)
