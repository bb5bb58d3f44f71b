import json
import logging
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, ProtocolError

from memberships_export.adapters.http.retry_after import retry_after
from memberships_export.adapters.http.trouble import trouble
from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
)
from rig.services.fake_memberships import FakeMemberships, closed_port
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.membership_faults import Call
from tests.readers import own_page, own_table

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKENS = ServiceTokens("s" * 32, "memberships-export", "memberships-api")
LIMITS = HttpLimits(body_bytes=100_000)
IMPATIENT = HttpLimits(connect_seconds=2, read_seconds=0.1, total_seconds=5)
HURRIED = HttpLimits(connect_seconds=2, read_seconds=2, total_seconds=0.1)
# Which of the two limits is noticed first is up to the machine when both are this short.
OVERDUE = re.compile(r"kept us waiting for more than 0\.1 seconds|took longer than 0\.1 seconds for one page")


def _fetch(fake: FakeMemberships, limits: HttpLimits = LIMITS) -> bytes:
    return own_page(MembershipsHttp(fake.url, TOKENS, limits, lambda: NOW))


def _failure(step: str, limits: HttpLimits = LIMITS) -> ExportError:
    with FakeMemberships(20, [step]) as fake, pytest.raises(ExportError) as failure:
        _fetch(fake, limits)
    return failure.value


@pytest.fixture
def fake() -> Iterator[FakeMemberships]:
    with FakeMemberships(25) as running:
        yield running


def test_pages_are_fetched_in_order_until_there_is_no_cursor(fake: FakeMemberships) -> None:
    source = MembershipsHttp(fake.url, TOKENS, LIMITS)
    pages = [own_page(source, "anna", cursor) for cursor in (None, "10-25", "20-25")]
    ids = [[int(text or "") for text in own_table(page).cells[0]] for page in pages]
    assert ids == [list(range(1, 11)), list(range(11, 21)), list(range(21, 26))]
    assert fake.calls == [Call("anna", None, 10), Call("anna", "10-25", 10), Call("anna", "20-25", 10)]


def test_all_pages_travel_over_one_connection(fake: FakeMemberships) -> None:
    source = MembershipsHttp(fake.url, TOKENS, LIMITS)
    for _ in range(5):
        own_page(source)
    assert fake.accepted == 1


def test_a_chunked_page_is_read_whole() -> None:
    with FakeMemberships(20, ["chunked"]) as fake:
        assert len(own_table(_fetch(fake)).cells[0]) == 10


def test_each_call_carries_a_token_for_exactly_its_user(fake: FakeMemberships) -> None:
    asked: list[str] = []

    def token(user_id: str) -> str:
        asked.append(user_id)
        return TOKENS(user_id)

    source = MembershipsHttp(fake.url, token, LIMITS)
    own_page(source)
    own_page(source, "ben", None, 10)
    assert asked == ["anna", "ben"]
    assert [call.user_id for call in fake.calls] == asked


def test_a_call_asks_for_uncompressed_json(fake: FakeMemberships) -> None:
    _fetch(fake)
    assert fake.headers[0]["Accept"] == "application/json"
    assert fake.headers[0]["Accept-Encoding"] == "identity"


def test_a_cursor_with_special_characters_arrives_as_it_was_given() -> None:
    with FakeMemberships(5, ["status:500"]) as fake, pytest.raises(ExportError):
        own_page(MembershipsHttp(fake.url, TOKENS, LIMITS), "anna", "0-5&limit=1#é /?", 10)
    assert fake.calls == [Call("anna", "0-5&limit=1#é /?", 10)]


def test_a_base_url_may_have_a_path(fake: FakeMemberships) -> None:
    with pytest.raises(MembershipsContractBroken, match=r"127\.0\.0\.1:\d+/v1/memberships answered with status 404"):
        own_page(MembershipsHttp(f"{fake.url}/v1/", TOKENS, LIMITS))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_status_that_will_pass_makes_the_memberships_unavailable(status: int) -> None:
    failure = _failure(f"status:{status}")
    assert isinstance(failure, MembershipsUnavailable)
    assert f"answered with status {status}" in failure.reason
    assert failure.retry_after is None


@pytest.mark.parametrize("status", [401, 402, 403, 407, 511])
def test_a_refusal_that_only_a_person_can_mend_is_told_at_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    failure = _failure(f"status:{status}:Retry-After=7")
    assert isinstance(failure, MembershipsRefused)
    assert f"answered with status {status}: " in failure.reason
    assert failure.retry_after == 7
    (line,) = [record.getMessage() for record in caplog.records if "event=refused" in record.getMessage()]
    assert line == f"by=memberships_api status={status} event=refused reason={failure.reason}"


@pytest.mark.parametrize("status", [201, 202, 206, 400, 404, 405, 406, 409, 410, 414, 422, 451])
def test_any_other_status_breaks_the_contract(status: int) -> None:
    failure = _failure(f"status:{status}")
    assert isinstance(failure, MembershipsContractBroken)
    assert f"answered with status {status} where only 200 is expected" in failure.reason


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_passed_on(status: int) -> None:
    failure = _failure(f"status:{status}:Retry-After=7")
    assert isinstance(failure, MembershipsUnavailable)
    assert failure.retry_after == 7


@pytest.mark.parametrize(
    "header,seconds",
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 120 ", 120),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2126 11:00:00 GMT", 86_400),
        ("999999999", 86_400),
        ("9" * 5000, 86_400),
        (f"{NOW.timestamp() + 30:.0f}", 30),  # a time since 1970
        (f"{NOW.timestamp() * 1000 + 30_500:.0f}", 30.5),
        (f"{NOW.timestamp() - 30:.0f}", 0),
        (f"{NOW.timestamp() * 1000 - 30:.0f}", 0),
        (f"{NOW.timestamp() + 100_000:.0f}", 86_400),
        ("1000000000", 0),
        ("-5", None),
        ("1.5", None),
        ("NaN", None),
        ("soon", None),
        ("٣", None),
        ("Sun, 99 Mar 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_time_and_at_most_a_day(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_error_says_what_to_set(status: int) -> None:
    failure = _failure(f"status:{status}:Location=http://169.254.169.254/latest/meta-data/")
    assert isinstance(failure, MembershipsContractBroken)
    assert f"redirect (status {status})" in failure.reason
    assert "set MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL to the final URL" in failure.reason
    assert "169.254" not in failure.reason


def test_a_redirect_to_the_same_server_is_not_followed_either() -> None:
    with FakeMemberships(5, ["status:308:Location=/memberships"]) as fake, pytest.raises(MembershipsContractBroken):
        _fetch(fake)
    assert len(fake.calls) == 1


@pytest.mark.parametrize("step", ["over-limit", "announced-over-limit"])
def test_a_page_over_the_limit_breaks_the_contract_and_names_the_limit(step: str) -> None:
    failure = _failure(step)
    assert isinstance(failure, MembershipsContractBroken)
    assert "more than 100000 bytes" in failure.reason
    assert "lower MEMBERSHIPS_EXPORT_PAGE_SIZE" in failure.reason


def test_a_page_just_within_the_limit_is_taken(fake: FakeMemberships) -> None:
    body = _fetch(fake)
    within = HttpLimits(body_bytes=len(body))
    below = HttpLimits(body_bytes=len(body) - 1)
    assert _fetch(fake, within) == body
    with pytest.raises(MembershipsContractBroken):
        _fetch(fake, below)


def test_a_compressed_page_is_refused_unread() -> None:
    failure = _failure("gzip-bomb")
    assert isinstance(failure, MembershipsContractBroken)
    assert "compressed" in failure.reason


@pytest.mark.parametrize(
    "step,words",
    [
        ("reset", "broke off its answer"),
        ("reset-mid-body", "broke off its answer"),
        ("short-body", "broke off its answer"),
        ("cut-chunks", "broke off its answer"),
        ("bad-chunks", "broke off its answer"),
        ("garbage", "broke off its answer"),
        ("cut-behind-brace", "broke off its answer"),
        ("cut-chunk-behind-brace", "broke off its answer"),
    ],
)
def test_an_answer_that_broke_on_its_way_makes_the_memberships_unavailable(step: str, words: str) -> None:
    failure = _failure(step)
    assert isinstance(failure, MembershipsUnavailable)
    assert words in failure.reason


@pytest.mark.parametrize("limits", [IMPATIENT, HURRIED])
@pytest.mark.parametrize("step", ["hang", "hang-mid-body"])
def test_silence_ends_at_the_read_timeout_or_the_total_limit(step: str, limits: HttpLimits) -> None:
    failure = _failure(step, limits)
    assert isinstance(failure, MembershipsUnavailable)
    assert OVERDUE.search(failure.reason)


@pytest.mark.parametrize("step", ["slow-loris", "slow-loris-chunked"])
def test_a_drip_of_single_bytes_ends_at_the_total_limit(step: str) -> None:
    failure = _failure(step, HURRIED)
    assert isinstance(failure, MembershipsUnavailable)
    assert OVERDUE.search(failure.reason)


@pytest.mark.parametrize("step", ["slow-head", "slow-status"])
@pytest.mark.parametrize("limits", [IMPATIENT, HURRIED])
def test_a_head_that_drips_ends_at_the_read_timeout_or_the_total_limit(step: str, limits: HttpLimits) -> None:
    failure = _failure(step, limits)
    assert isinstance(failure, MembershipsUnavailable)
    assert OVERDUE.search(failure.reason)


def test_a_refused_connection_makes_the_memberships_unavailable() -> None:
    with closed_port() as port, pytest.raises(MembershipsUnavailable, match="does not accept connections"):
        own_page(MembershipsHttp(f"http://127.0.0.1:{port}", TOKENS, LIMITS))


@pytest.mark.parametrize(
    "error,words",
    [
        (NameResolutionError("no.example", HTTPConnection("no.example"), socket.gaierror()), "name does not resolve"),
        (ConnectTimeoutError("canary"), "did not accept a connection within 2 seconds"),
        (ProtocolError("canary"), "broke off its answer"),
    ],
)
def test_trouble_on_the_wire_is_told_in_words_of_our_own(error: HTTPError, words: str) -> None:
    # no server on loopback can show the first two
    assert words in trouble(error, 2, 30)
    assert "canary" not in trouble(error, 2, 30)


def test_a_failed_tls_handshake_makes_the_memberships_unavailable(fake: FakeMemberships) -> None:
    with pytest.raises(MembershipsUnavailable, match="TLS handshake failed"):
        own_page(MembershipsHttp(fake.url.replace("http:", "https:"), TOKENS, LIMITS))


def test_a_certificate_that_nobody_vouches_for_is_for_a_person_to_mend(
    tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSendGrid(tls=tls) as server, pytest.raises(MembershipsRefused, match="self-signed certificate, check its"):
        own_page(MembershipsHttp(server.url, TOKENS, LIMITS))
    assert "by=memberships_api status=none event=refused reason=" in caplog.text


def test_the_source_works_again_once_the_trouble_is_over() -> None:
    with FakeMemberships(5, ["status:503", "reset-mid-body", "short-body"]) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        for _ in range(3):
            with pytest.raises(MembershipsUnavailable):
                own_page(source)
        assert len(own_table(own_page(source)).cells[0]) == 5


@pytest.mark.parametrize("step", ["looping-cursor", "duplicate-ids", "foreign-row", "wrong-total", "no-items"])
def test_what_a_page_says_is_left_to_the_domain(step: str) -> None:
    with FakeMemberships(20, [step]) as fake:
        assert json.loads(_fetch(fake))


@pytest.mark.parametrize("step", ["html", "array", "empty", "byte-order-mark", "truncated-json", "cut-without-length"])
def test_what_a_whole_answer_is_can_only_its_reader_tell(step: str) -> None:
    with FakeMemberships(20, [step]) as fake:
        assert isinstance(_fetch(fake), bytes)


@pytest.mark.parametrize("coding", ["UTF-8", "utf8", "iso-8859-1", "identity", "none", "Identity, utf-8", ""])
def test_the_name_of_a_charset_is_no_compression(coding: str) -> None:
    with FakeMemberships(20, [f"status:200:Content-Encoding={coding}"]) as fake:
        assert len(own_table(_fetch(fake)).cells[0]) == 10


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_each_compression_is_refused_by_name(coding: str) -> None:
    failure = _failure(f"status:200:Content-Encoding={coding}")
    assert isinstance(failure, MembershipsContractBroken)
    assert f"a compressed page ({coding.lower().removeprefix('identity, ')})" in failure.reason


@pytest.mark.parametrize(
    "step", ["status:500", "status:401", "status:422", "redirect", "short-body", "hang", "garbage"]
)
def test_no_token_query_or_content_gets_into_reasons_or_logs(step: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    secret_token = TOKENS("anna")
    with FakeMemberships(20, [step]) as fake, pytest.raises(ExportError) as failure:
        own_page(MembershipsHttp(fake.url, lambda _: secret_token, IMPATIENT), "anna", "10-20", 10)
    told = failure.value.reason + str(failure.value) + caplog.text
    for private in (secret_token, "10-20", "canary@example.org", "anna"):
        assert private not in told
    assert f"The memberships API at 127.0.0.1:{fake.port}/memberships " in told


def test_a_url_that_tokens_must_not_be_sent_to_is_refused_at_once() -> None:
    with pytest.raises(
        ValueError, match="MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL: 'http://memberships:8000' uses plain http"
    ):
        MembershipsHttp("http://memberships:8000", TOKENS)
