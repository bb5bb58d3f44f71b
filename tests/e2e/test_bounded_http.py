"""What comes in from anybody is bounded: bytes, time, connections. Waits end with what the server does."""

import gc
import json
import logging
import re
import socket
import struct
from contextlib import ExitStack

import pytest

from memberships_export.entrypoints.api.headers import HTTPS_ONLY, SECURITY_HEADERS
from memberships_export.entrypoints.cli.serve.limits import Limits, limits_of
from tests.e2e.open_connections import CHUNKED, GET, PATIENCE, POST, served_late, serving, status, until, until_closed

PATIENT = Limits(header_seconds=PATIENCE, body_seconds=PATIENCE, reading_seconds=PATIENCE)
SLOW_BODY = Limits(header_seconds=PATIENCE, body_seconds=0.05, reading_seconds=PATIENCE)
SLOW_READER = Limits(header_seconds=PATIENCE, body_seconds=PATIENCE, reading_seconds=0.05)
HURRIED = Limits(header_seconds=0.05, body_seconds=0.05, reading_seconds=0.05, farewell_seconds=0.05)
KIB = 1024


def header(size: int) -> bytes:
    """A request whose header has so many bytes."""
    begin, end = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ", b"\r\n\r\n"
    return begin + b"a" * (size - len(begin) - len(end)) + end


def problem_of(answer: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


# --- Size ---


def test_a_header_of_64_kib_is_read() -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(header(64 * KIB))) == 200


@pytest.mark.parametrize("size", [64 * KIB + 10, 10 * KIB * KIB])
def test_a_longer_header_is_431(size: int) -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(header(size))) == 431


def test_a_header_that_never_ends_is_431_as_soon_as_it_is_too_long() -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(header(64 * KIB + 10)[: 64 * KIB])) == 431


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"\r\n\r\n\r\n",
        b"\r\n" * 5000,
        GET,
        POST + b"Content-Length: 70000\r\n\r\n" + b"x" * 70000,
    ],
)
def test_a_long_header_is_found_behind_whatever_comes_before_it(begin: bytes) -> None:
    with serving(PATIENT) as server:
        answer = server.answer(begin + header(70 * KIB))
    assert answer.count(b"HTTP/1.1 200") == begin.count(b"HTTP/1.1")


def test_only_empty_lines_are_no_header_and_end_as_one_that_is_too_long() -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(b"\r\n" * (40 * KIB))) == 431


def test_a_long_url_is_414() -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(b"GET /" + b"a" * (70 * KIB))) == 414


def test_many_small_fields_are_431() -> None:
    with serving(PATIENT) as server:
        fields = b"".join(b"X-%d: 1\r\n" % number for number in range(201))
        assert status(server.answer(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")) == 431


def test_a_body_that_never_ends_is_413() -> None:
    with serving(PATIENT) as server, server.client(CHUNKED) as client:
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        answer = b""
        client.settimeout(PATIENCE)
        try:
            for _ in range(1000):
                client.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = until_closed(client)
    assert answer == b"" or status(answer) == 413
    assert server.answers.lengths == []


@pytest.mark.parametrize(
    "endless", [b"1;" + b"e" * 3_000_000, b"0\r\n" + b"T: t\r\n" * 500_000, b"0\r\nT: " + b"t" * 3_000_000]
)
def test_what_is_around_a_body_is_bounded_too(endless: bytes) -> None:
    with serving(PATIENT) as server:
        answer = server.answer(CHUNKED + endless)
    assert status(answer) in {400, 413}


def test_trailers_become_no_headers() -> None:
    with serving(PATIENT) as server:
        trailers = b"".join(b"X-%d: 1\r\n" % number for number in range(300))
        body = b"1\r\nx\r\n0\r\n" + trailers + b"\r\n"
        with server.client(CHUNKED + body + GET) as client:
            assert until(client, b'"here"').count(b"HTTP/1.1 200") == 2


def test_a_refusal_is_a_problem_with_the_headers_of_all_answers() -> None:
    with serving(PATIENT) as server:
        answer = server.answer(header(70 * KIB))
    head = answer.partition(b"\r\n\r\n")[0].decode().lower()
    assert problem_of(answer)["code"] == "header_too_large"
    for name, value in SECURITY_HEADERS.items():
        assert f"\r\n{name}: {value}".lower() in head
    assert "\r\nconnection: close" in head
    assert re.search(r"\r\nx-request-id: [0-9a-f]{16}\r\n", head)
    assert "\r\ncontent-type: application/problem+json" in head


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"GET /nothing HTTP/1.0\r\n\r\n"])
def test_all_answers_say_that_the_service_is_behind_https(sent: bytes) -> None:
    with serving(PATIENT, HTTPS_ONLY) as server:
        assert server.answer(sent).count(b"\r\nstrict-transport-security: max-age=31536000\r\n") == 1


# --- Time ---


@pytest.mark.parametrize("begin", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
def test_a_header_that_does_not_come_is_408(begin: bytes) -> None:
    with serving(HURRIED) as server:
        answer = server.answer(begin)
    assert (status(answer), problem_of(answer)["code"]) == (408, "header_too_slow")


@pytest.mark.parametrize("begin", [POST + b"Content-Length: 9\r\n\r\n123", CHUNKED, CHUNKED + b"1\r\nx\r\n"])
def test_a_body_that_does_not_come_is_408_and_no_error_of_ours(begin: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with serving(SLOW_BODY) as server:
        answer = server.answer(begin)
    assert (status(answer), problem_of(answer)["code"]) == (408, "body_too_slow")
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("first", [b"", POST + b"Content-Length: 100000\r\n\r\n"])
def test_drips_do_not_renew_the_time(first: bytes) -> None:
    with serving(HURRIED) as server, server.client(first) as client:
        client.settimeout(0.001)
        answer = b""
        for _ in range(100_000):
            try:
                client.sendall(b"G")
                answer = client.recv(65536)
                break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        else:
            pytest.fail("The server goes on reading drips")
    assert answer == b"" or status(answer) in {400, 408}


def test_the_next_request_on_a_connection_has_its_own_time() -> None:
    with served_late(HURRIED, GET) as client:
        until(client, b'"here"')
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert status(until_closed(client)) == 408


@pytest.mark.parametrize("junk", [b"", b"\r\n"])
def test_a_connection_that_is_not_used_any_more_is_closed(junk: bytes) -> None:
    limits = Limits(idle_seconds=1)
    with serving(limits) as server, server.client(GET) as client:
        until(client, b'"here"')
        client.sendall(junk)
        assert until_closed(client) == b""


def test_a_client_that_takes_no_answer_is_cut_off() -> None:
    with serving(SLOW_READER) as server, server.client(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert server.answers.cut.wait(PATIENCE)


# --- Number ---


def test_connections_that_ask_for_nothing_make_room_for_those_that_do() -> None:
    with serving(Limits(connections=5)) as server, ExitStack() as stack:
        idle = [stack.enter_context(server.client()) for _ in range(20)]
        assert status(server.answer(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) == 200
        answer = until_closed(idle[0])
        assert (status(answer), problem_of(answer)["code"]) == (503, "too_many_connections")
        assert b"\r\nretry-after: 5\r\n" in answer


def test_a_kept_connection_makes_room_without_a_word() -> None:
    with serving(Limits(connections=1)) as server, server.client(GET) as kept:
        until(kept, b'"here"')
        with server.client(GET) as other:
            until(other, b'"here"')
        assert until_closed(kept) == b""


def test_when_all_are_busy_a_new_one_is_told_to_come_back(caplog: pytest.LogCaptureFixture) -> None:
    with serving(Limits(connections=3)) as server, ExitStack() as stack:
        busy = [stack.enter_context(server.client()) for _ in range(3)]
        for client in busy:
            server.busy(client)
        answer = server.answer(GET)
        assert (status(answer), problem_of(answer)["code"]) == (503, "too_many_connections")
        assert b"\r\nretry-after: 5\r\n" in answer
        server.answers.go_on.set()
        for client in busy:
            assert status(until(client, b'"waited"')) == 200
        with server.client(GET) as next_one:
            assert status(until(next_one, b'"here"')) == 200
    assert "event=crowded" in caplog.text


def test_the_most_connections_follow_from_the_files_that_may_be_open() -> None:
    assert limits_of(1000, 1_048_576).connections == 1000
    assert limits_of(1000, -1).connections == 1000
    for files in (64, 256, 1024, 2000):
        limits = limits_of(1000, files)
        assert limits.connections <= files // 2
        assert limits.threads <= files // 16
    assert limits_of(100, 1024).connections == 100


# --- Siblings ---


def test_a_deep_pipeline_ends_with_the_answers_that_were_begun() -> None:
    with serving(PATIENT) as server, server.client() as client:
        server.busy(client)
        client.sendall(GET * 5000)
        server.answers.go_on.set()
        answers = until_closed(client).count(b"HTTP/1.1 200")
    assert 1 < answers < 50


def test_pipelined_requests_are_answered_in_order() -> None:
    post = POST + b"Content-Length: 3\r\n\r\nabc"
    with serving(PATIENT) as server, server.client(GET + post + GET) as client:
        received = until(client, b'"here"')
        while received.count(b"HTTP/1.1 200") < 3:
            received += until(client, b'"here"')
    assert received.index(b'"here"') < received.index(b"\r\n\r\n3")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        POST + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_request_is_400(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(sent)) == 400
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_another_protocol_is_not_taken_up_and_the_request_is_answered(
    upgrade: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(PATIENT) as server:
        sent = b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\n\r\n"
        answer = server.answer(sent + GET)
    assert status(answer) == 200
    assert b"connection: close" in answer
    assert caplog.records == []


def test_http_1_0_is_answered_and_closed() -> None:
    with serving(PATIENT) as server:
        assert status(server.answer(b"GET / HTTP/1.0\r\n\r\n")) == 200


def test_head_has_no_body() -> None:
    with serving(PATIENT) as server:
        answer = server.answer(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("linger", [struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)], ids=["reset", "closed"])
def test_an_upload_that_its_client_breaks_off_is_one_line_of_information(
    linger: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with serving(PATIENT) as server:
        with server.client(POST + b"Content-Length: 9\r\n\r\n123") as client:
            assert server.answers.working.acquire(timeout=PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with server.client(GET) as other:  # the server goes on, and has come to the end of the first by now
            until(other, b'"here"')
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == []
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("memberships_export")]
    assert len(ours) == 1
    assert "event=broken_off" in ours[0]


def test_a_download_that_its_client_breaks_off_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with serving(PATIENT) as server:
        with server.client(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n") as client:
            client.recv(65536)
        with server.client(GET) as other:
            until(other, b'"here"')
    gc.collect()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
