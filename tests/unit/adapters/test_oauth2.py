"""OAuth2 client credentials: when a token is got, how long it is shown, and what a token endpoint may do to us."""

import base64
import gc
import json
import logging
import ssl
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest

from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.adapters.source.oauth2 import KeptToken
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.source.token_answer import Granted, granted
from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
)
from memberships_export.domain.source.profile import KnownProfile
from rig.services.fake_memberships import closed_port
from rig.services.fake_oauth2 import CLIENT, SECRET, FakeOAuth2
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.recording_api import RecordingApi, Reply, Seen
from tests.unit.adapters.asking import PAGE, asks_with, known, source
from tests.unit.adapters.test_source_auth import Rotated

PATIENCE_SECONDS = 30
ENVIRON = {"CS": SECRET}
IMPATIENT = HttpLimits(connect_seconds=5, read_seconds=10, total_seconds=0.3)


def _profile(server: FakeOAuth2 | str, fingerprint: str = "00", **auth: Any) -> KnownProfile:  # noqa: ANN401
    url = server if isinstance(server, str) else f"{server.url}/oauth/token?tenant=canary"
    given = {"access_token_url": url, "client_id": CLIENT, "client_secret": "env:CS"}
    return known({"type": "oauth2_client_credentials"} | given | auth, fingerprint)


@pytest.fixture
def server() -> Iterator[FakeOAuth2]:
    with FakeOAuth2() as running:
        yield running


@pytest.fixture
def api(server: FakeOAuth2) -> Iterator[RecordingApi]:
    """An API that takes the tokens of the server."""
    with RecordingApi(lambda seen: Reply(status=200 if server.accepts(seen.header("Authorization")) else 401)) as api:
        yield api


def _failure(*script: Reply, secret: str = SECRET, **auth: Any) -> ExportError:  # noqa: ANN401
    with RecordingApi() as api, FakeOAuth2(*script) as server, pytest.raises(ExportError) as failure:
        source(api.url, {"CS": secret}).fetch(PAGE, _profile(server, **auth))
    assert api.seen == [], "without a token nothing is asked"
    return failure.value


def _shown(api: RecordingApi) -> list[str | None]:
    return [seen.header("Authorization") for seen in api.seen]


# --- What is asked for ------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_with_id_and_secret_in_the_body(server: FakeOAuth2, api: RecordingApi) -> None:
    profile = _profile(server, access_token_request_data={"scope": "read:all members", "audience": "https://api/"})
    source(api.url, ENVIRON).fetch(PAGE, profile)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/oauth/token?tenant=canary")
    assert seen.header("Content-Type") == "application/x-www-form-urlencoded"
    assert seen.header("Authorization") is None
    assert parse_qs(seen.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["read:all members"],
        "audience": ["https://api/"],
        "client_id": [CLIENT],
        "client_secret": [SECRET],
    }
    assert _shown(api) == ["Bearer token-1"]


def test_or_in_the_header_encoded_as_the_standard_says(server: FakeOAuth2, api: RecordingApi) -> None:
    source(api.url, ENVIRON).fetch(PAGE, _profile(server, credentials_in="header"))
    (seen,) = server.seen
    shown = base64.b64decode((seen.header("Authorization") or "").removeprefix("Basic "))
    assert shown == b"club:the+client+secret%2F%2B%26%3D%3A%C3%BC"  # RFC 6749 2.3.1
    assert parse_qs(seen.body.decode()) == {"grant_type": ["client_credentials"]}


def test_the_client_id_may_be_a_secret_too(server: FakeOAuth2, api: RecordingApi) -> None:
    asks = source(api.url, ENVIRON | {"ID": CLIENT})
    assert asks.fetch(PAGE, _profile(server, client_id="env:ID")).body == b"[]"


# --- How long a token is shown ----------------------------------------------------------------------------------------


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "life,good_for",
    [(3600.0, 3540.0), (301.0, 241.0), (300.0, 240.0), (100.0, 80.0), (10.0, 8.0), (1.0, 0.8)],
)
def test_a_token_is_renewed_a_minute_before_its_end_or_a_fifth_of_a_short_life(life: float, good_for: float) -> None:
    clock, given = Clock(), iter(range(10))
    kept = KeptToken(lambda _: Granted(f"token-{next(given)}", life), clock)
    assert kept.get(1e9) == "token-0"
    clock.now += good_for - 0.01
    assert kept.get(1e9) == "token-0"
    clock.now += 0.02
    assert kept.get(1e9) == "token-1"


def test_the_life_of_a_token_begins_when_it_is_asked_for() -> None:
    clock, given = Clock(), iter(range(10))

    def slow(_: float) -> Granted:
        clock.now += 30
        return Granted(f"token-{next(given)}", 100.0)

    kept = KeptToken(slow, clock)
    assert kept.get(1e9) == "token-0"
    clock.now += 49
    assert kept.get(1e9) == "token-0"
    clock.now += 2
    assert kept.get(1e9) == "token-1"


@pytest.mark.parametrize(
    "told,life",
    [
        (3600, 3600),
        ("900", 900),
        (899.5, 899.5),
        (1, 1),
        (None, 3600),
        (0, 3600),
        (-5, 3600),
        (True, 3600),
        ("soon", 3600),
        ("", 3600),
        ([], 3600),
        (10**400, 3600),
        (10**9, 86_400),
        ("inf", 86_400),
        ("nan", 3600),
    ],
)
def test_the_life_of_a_token_is_what_the_server_says_an_hour_or_at_most_a_day(told: object, life: float) -> None:
    body = json.dumps({"access_token": "t", "token_type": "bearer"} | ({} if told is None else {"expires_in": told}))
    assert granted(body.encode()).life == life


def test_one_token_serves_all_calls_while_it_is_good(server: FakeOAuth2, api: RecordingApi) -> None:
    asks = source(api.url, ENVIRON)
    for _ in range(5):
        asks.fetch(PAGE, _profile(server))
    assert server.given == 1
    assert api.accepted == 1


def test_a_token_that_dies_in_mid_walk_is_renewed_by_one_401(server: FakeOAuth2, api: RecordingApi) -> None:
    asks = source(api.url, ENVIRON)
    asks.fetch(PAGE, _profile(server))
    server.take_back()
    assert asks.fetch(PAGE, _profile(server)).body == b"[]"
    assert asks.fetch(PAGE, _profile(server)).body == b"[]"
    assert _shown(api) == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_a_token_that_dies_while_an_export_waits_for_its_next_try_is_not_shown_again(api: RecordingApi) -> None:
    with FakeOAuth2(expires_in=1e-9) as short:  # over before the next try, however soon that comes
        asks = source(api.url, ENVIRON)
        api.answer = lambda _: Reply(status=503)
        with pytest.raises(MembershipsUnavailable):
            asks.fetch(PAGE, _profile(short))
        api.answer = lambda _: Reply()
        asks.fetch(PAGE, _profile(short))
    assert _shown(api) == ["Bearer token-1", "Bearer token-2"]


def test_the_second_401_is_a_refusal_that_names_the_secret(
    server: FakeOAuth2, caplog: pytest.LogCaptureFixture
) -> None:
    with RecordingApi(lambda _: Reply(status=401)) as api:
        with pytest.raises(MembershipsRefused) as failure:
            source(api.url, ENVIRON).fetch(PAGE, _profile(server))
        assert _shown(api) == ["Bearer token-1", "Bearer token-2"]
    assert "the token that 127.0.0.1 gave for the secret of env:CS" in failure.value.reason
    assert "by=memberships_api status=401 event=refused" in caplog.text
    assert "token-" not in failure.value.reason + caplog.text


def test_a_server_that_gives_the_same_token_again_is_asked_once_for_each_401(server: FakeOAuth2) -> None:
    same = Reply(b'{"access_token": "same", "token_type": "Bearer"}')
    server.script = [same] * 4
    with RecordingApi(lambda _: Reply(status=401)) as api:
        with pytest.raises(MembershipsRefused):
            source(api.url, ENVIRON).fetch(PAGE, _profile(server))
        assert (len(api.seen), len(server.seen)) == (2, 2)


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_only_a_401_costs_a_token(status: int, server: FakeOAuth2) -> None:
    with RecordingApi(lambda _: Reply(status=status)) as api:
        asks = source(api.url, ENVIRON)
        for _ in range(2):
            with pytest.raises(ExportError):
                asks.fetch(PAGE, _profile(server))
        assert (server.given, len(api.seen)) == (1, 2)


def test_two_profiles_have_a_token_each_and_so_have_two_versions_of_one(api: RecordingApi, server: FakeOAuth2) -> None:
    asks = source(api.url, ENVIRON)
    for fingerprint in ("aa", "bb", "aa", "bb"):
        asks.fetch(PAGE, _profile(server, fingerprint))
    assert _shown(api) == ["Bearer token-1", "Bearer token-2", "Bearer token-1", "Bearer token-2"]


# --- Threads ----------------------------------------------------------------------------------------------------------


def _at_once(asks: MembershipsHttp, profile: KnownProfile, count: int) -> list[ExportError | None]:
    """Ask from so many threads, all of which are there before the first may go on."""
    gate = threading.Barrier(count)

    def ask(_: int) -> ExportError | None:
        gate.wait(PATIENCE_SECONDS)
        try:
            asks.fetch(PAGE, profile)
        except ExportError as error:
            return error
        return None

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(ask, range(count)))


def test_fifty_threads_that_ask_at_once_make_one_token_call(server: FakeOAuth2, api: RecordingApi) -> None:
    assert _at_once(source(api.url, ENVIRON), _profile(server), 50) == [None] * 50
    assert (len(server.seen), len(api.seen)) == (1, 50)


def test_fifty_threads_whose_token_was_taken_back_get_one_new_one(server: FakeOAuth2, api: RecordingApi) -> None:
    asks = source(api.url, ENVIRON)
    asks.fetch(PAGE, _profile(server))
    server.take_back()
    assert _at_once(asks, _profile(server), 50) == [None] * 50
    assert server.given == 2


def test_those_who_wait_for_a_fetch_share_its_failure_and_the_next_one_tries_again() -> None:
    began, goes_on, calls = threading.Event(), threading.Event(), []

    def fetch(_: float) -> Granted:
        calls.append(1)
        if len(calls) > 1:
            return Granted("token", 3600)
        began.set()
        assert goes_on.wait(PATIENCE_SECONDS)
        raise MembershipsUnavailable("away")

    kept = KeptToken(fetch)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(kept.get, 1e9)
        assert began.wait(PATIENCE_SECONDS)
        with pytest.raises(MembershipsUnavailable, match="kept another export, and so this one, waiting"):
            kept.get(0)  # whose own time is up does not wait
        second = threads.submit(kept.get, 1e9)
        goes_on.set()
        assert isinstance(first.exception(), MembershipsUnavailable)
        # It joined the first fetch, or came after its end and made the second.
        assert isinstance(second.exception(), MembershipsUnavailable) or len(calls) == 2
    assert kept.get(1e9) == "token"


def test_an_interrupt_in_the_middle_of_a_fetch_leaves_nobody_waiting() -> None:
    outcomes: Iterator[Callable[[], Granted]] = iter([_interrupt, lambda: Granted("token", 3600)])
    kept = KeptToken(lambda _: next(outcomes)())
    with pytest.raises(KeyboardInterrupt):
        kept.get(1e9)
    assert kept.get(1e9) == "token"


def _interrupt() -> Granted:
    raise KeyboardInterrupt


def test_a_late_401_does_not_drop_the_token_that_another_thread_got_meanwhile() -> None:
    given = iter(["old", "new", "newer"])
    kept = KeptToken(lambda _: Granted(next(given), 3600))
    assert kept.get(1e9) == "old"
    kept.drop("old")
    assert kept.get(1e9) == "new"
    kept.drop("old")
    assert kept.get(1e9) == "new"


# --- What a token endpoint may do to us -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply,told",
    [
        (Reply(b'{"error": "invalid_client"}', 400), "status 400 (invalid_client): it gives no token"),
        (Reply(b'{"error": "invalid_scope", "error_description": "canary"}', 400), "status 400 (invalid_scope): "),
        (Reply(b'{"error": "canary"}', 401), "status 401: it gives no token"),
        (Reply(b"<html>canary", 403), "status 403: it gives no token"),
        (Reply(b"[1]", 401), "status 401: it gives no token"),
    ],
)
def test_what_a_token_endpoint_refuses_a_person_must_mend(
    reply: Reply, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    failure = _failure(reply)
    assert isinstance(failure, MembershipsRefused)
    assert f"/oauth/token answered with {told}" in failure.reason
    assert "for the secret of env:CS" in failure.reason
    assert f"by=token_endpoint status={reply.status} event=refused reason={failure.reason}" in caplog.text
    assert "canary" not in failure.reason + caplog.text


def test_a_wrong_secret_is_a_refusal() -> None:
    failure = _failure(secret="wrong canary")
    assert isinstance(failure, MembershipsRefused)
    assert "status 401 (invalid_client)" in failure.reason
    assert "wrong" not in failure.reason


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_an_outage_of_the_token_endpoint_passes(status: int) -> None:
    failure = _failure(Reply(b"canary", status, headers=[("Retry-After", "7")]))
    assert isinstance(failure, MembershipsUnavailable)
    assert (f"answered with status {status}" in failure.reason, failure.retry_after) == (True, 7)


def test_a_token_endpoint_that_is_away_or_breaks_off_passes() -> None:
    assert isinstance(_failure(Reply(broken=True)), MembershipsUnavailable)
    with closed_port() as port, RecordingApi() as api, pytest.raises(MembershipsUnavailable, match="token endpoint at"):
        source(api.url, ENVIRON).fetch(PAGE, _profile(f"http://127.0.0.1:{port}/token"))


@pytest.mark.parametrize(
    "reply,words",
    [
        (Reply(b"<html>canary"), "no JSON object"),
        (Reply(b'["canary"]'), "no JSON object"),
        (Reply(b""), "no JSON object"),
        (Reply(b"[" * 100_000), "no JSON object"),
        (Reply(b'{"access_token": "canary", "token_type": "mac"}'), "token_type is not bearer"),
        (Reply(b'{"access_token": "canary", "token_type": 1}'), "token_type is not bearer"),
        (Reply(b'{"token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": null, "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": "", "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": 5, "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": "canary\\r\\nX-Admin: yes", "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": "canary canary", "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": "c\\u00e4nary", "token_type": "bearer"}'), "no access_token"),
        (Reply(b'{"access_token": "' + b"x" * 16_385 + b'"}'), "no access_token"),
        (Reply(b" " * (1024 * 1024 + 1)), "more than 1048576 bytes"),
        (Reply(status=302, headers=[("Location", "http://169.254.169.254/canary")]), "status 302 where a token"),
        (Reply(status=404), "status 404 where a token is expected; check access_token_url"),
        (Reply(status=204), "status 204 where a token"),
    ],
)
def test_what_is_no_token_breaks_the_contract(reply: Reply, words: str) -> None:
    failure = _failure(reply)
    assert isinstance(failure, MembershipsContractBroken)
    assert words in failure.reason
    assert failure.reason.startswith("The token endpoint at 127.0.0.1:")
    assert "canary" not in failure.reason


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_type_of_a_token_is_read_in_any_case(kind: str) -> None:
    assert granted(json.dumps({"access_token": "t", "token_type": kind}).encode()).token == "t"


def test_a_token_without_a_type_is_taken_for_a_bearer_token() -> None:
    assert granted(b'{"access_token": "t"}').token == "t"


def test_a_token_endpoint_that_never_answers_takes_no_longer_than_the_call_may() -> None:
    with FakeOAuth2() as server, RecordingApi() as api:
        server.before = lambda: server.closing.wait(PATIENCE_SECONDS)
        # Which of them is noticed first is up to the machine, as is what is left of the time by then.
        late = r"(kept us waiting for more than 0(\.\d)? seconds|took longer than one call may)"
        with pytest.raises(MembershipsUnavailable, match=f"token endpoint at .* {late}"):
            source(api.url, ENVIRON, IMPATIENT).fetch(PAGE, _profile(server))
        assert api.seen == []


def test_a_url_that_secrets_must_not_be_sent_to_gets_none() -> None:
    with RecordingApi() as api, pytest.raises(MembershipsContractBroken, match="uses plain http"):
        source(api.url, ENVIRON).fetch(PAGE, _profile("http://id.example.org/token"))


def test_a_token_endpoint_whose_certificate_nobody_vouches_for_gets_no_secret(
    tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSendGrid(tls=tls) as other, RecordingApi() as api:
        with pytest.raises(MembershipsRefused, match="check its certificate"):
            source(api.url, ENVIRON).fetch(PAGE, _profile(f"{other.url}/token"))
        assert (other.requests, api.seen) == (0, [])
    assert "by=token_endpoint status=none event=refused" in caplog.text


# --- Secrets ----------------------------------------------------------------------------------------------------------


def test_a_client_secret_that_was_rotated_is_read_anew_when_the_old_one_is_refused(api: RecordingApi) -> None:
    secret = Rotated("old")
    with FakeOAuth2(secret="new") as server:
        api.answer = lambda _: Reply()
        asks = asks_with(api.url, ProfileSecrets({}, lambda _: secret))
        profile = _profile(server, client_secret="secret:club/oauth")
        with pytest.raises(MembershipsRefused, match="secret:club/oauth"):
            asks.fetch(PAGE, profile)
        assert len(server.seen) == 1, "the same secret is not shown twice"
        secret.now = "new"
        assert asks.fetch(PAGE, profile).body == b"[]"
    assert len(server.seen) == 3


@pytest.mark.parametrize("missing", [{}, {"CS": ""}, {"CS": "canary\n"}])
def test_without_a_client_secret_no_token_is_asked_for(missing: dict[str, str], server: FakeOAuth2) -> None:
    with RecordingApi() as api, pytest.raises(MembershipsRefused, match="env:CS"):
        source(api.url, missing).fetch(PAGE, _profile(server))
    assert server.seen == []


@pytest.mark.parametrize(
    "reply", [None, Reply(broken=True), Reply(b"{", 401), Reply(status=500), Reply(headers=[("no header", "x")])]
)
@pytest.mark.parametrize("place", ["body", "header"])
def test_neither_secret_nor_token_gets_into_a_log_or_an_error(
    reply: Reply | None, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    with FakeOAuth2(reply) as server, RecordingApi(lambda _: Reply(status=401)) as api:
        try:
            source(api.url, ENVIRON).fetch(PAGE, _profile(server, credentials_in=place))
        except ExportError as error:
            told = error.reason + "".join(traceback.format_exception(error))
        shown = [_secret_in(seen) for seen in server.seen]
    for private in (SECRET, "token-1", "token-2", "tenant", "canary", *shown):
        assert private not in told + caplog.text


def _secret_in(seen: Seen) -> str:
    return seen.header("Authorization") or parse_qs(seen.body.decode())["client_secret"][0]


def test_a_token_is_not_shown() -> None:
    assert "canary" not in repr(Granted("canary", 1))


def test_a_401_whose_renewal_fails_leaves_no_connection_open() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with RecordingApi(lambda _: Reply(status=401)) as api, FakeOAuth2(None, Reply(status=503)) as server:
            with pytest.raises(MembershipsUnavailable, match="token endpoint"):
                source(api.url, ENVIRON).fetch(PAGE, _profile(server))
            gc.collect()  # what was not closed says so now
    assert [warning for warning in told if issubclass(warning.category, ResourceWarning)] == []
