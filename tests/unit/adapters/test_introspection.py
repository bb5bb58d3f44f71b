"""What the introspection endpoint may say of a token, and what it may do to who asks."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from queue import Queue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint, Limits
from memberships_export.adapters.identity.introspection import Client, IntrospectedTokens
from memberships_export.adapters.identity.kept_answers import Keeping, KeptAnswers
from memberships_export.service.user.callers import AuthenticationError, Caller, IdentityUnavailable, InvalidToken
from rig.services.fake_identity_provider import CLIENT_ID, CLIENT_SECRET, JSON, FakeIdentityProvider, answer
from rig.services.fake_memberships import closed_port
from rig.services.recording_api import Reply

STUCK = 60  # seconds after which a test fails instead of hanging
MIB = 1024 * 1024
NOW = 1_900_000_000  # seconds since 1970
EXPECTED = ExpectedClaims(audiences=frozenset({"memberships"}))
CLIENT = Client(CLIENT_ID, CLIENT_SECRET)
ANNA: dict[str, Any] = {"active": True, "sub": "anna", "email": "anna@example.org", "email_verified": True}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Iterator[FakeIdentityProvider]:
    with FakeIdentityProvider() as made:
        made.tokens["opaque"] = ANNA
        yield made


def introspected(  # noqa: PLR0913  (each is a switch, given by name)
    provider: FakeIdentityProvider,
    expected: ExpectedClaims = EXPECTED,
    *,
    client: Client = CLIENT,
    clock: Clock | None = None,
    keeping: Keeping = Keeping(),  # noqa: B008  (frozen)
    limits: Limits = Limits(),  # noqa: B008
) -> IntrospectedTokens:
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_INTROSPECTION_URL", provider.introspection_url, limits)
    return IntrospectedTokens(endpoint, client, expected, KeptAnswers(keeping, clock or Clock()), lambda: NOW)


# --- What it is asked, and what it says -------------------------------------------------------------------------------


def test_an_answer_tells_language_and_zone_of_its_user(provider: FakeIdentityProvider) -> None:
    provider.tokens["swiss"] = ANNA | {"locale": "de-CH", "zoneinfo": "Europe/Zurich"}
    provider.tokens["odd"] = ANNA | {"locale": ["de"], "zoneinfo": 1}
    tokens = introspected(provider)
    callers = [tokens.verify(token) for token in ("swiss", "odd")]
    assert [(caller.locale, caller.time_zone) for caller in callers] == [("de-CH", "Europe/Zurich"), (None, None)]


def test_an_active_token_names_its_caller(provider: FakeIdentityProvider) -> None:
    caller = introspected(provider).verify("opaque")
    assert caller == Caller("anna", "anna@example.org", email_verified=True)
    (seen,) = provider.seen
    assert (seen.method, seen.target) == ("POST", "/introspect")
    assert seen.header("Content-Type") == "application/x-www-form-urlencoded"
    assert seen.body == b"token=opaque&token_type_hint=access_token"


@pytest.mark.parametrize(
    "changes, user_id",
    [
        ({"sub": 4711}, "4711"),
        ({"sub": None, "username": "anna.b"}, "anna.b"),
        ({"username": "anna.b"}, "anna"),
        ({"aud": "memberships"}, "anna"),
        ({"aud": ["shop", "memberships"]}, "anna"),
        ({"client_id": "the app that got the token"}, "anna"),
        ({"exp": NOW - 20}, "anna"),
        ({"token_type": "Bearer", "scope": "openid"}, "anna"),
        ({"token_type": "bearer", "token_use": "access_token"}, "anna"),
    ],
)
def test_what_providers_say_otherwise_is_understood(
    provider: FakeIdentityProvider, changes: dict[str, Any], user_id: str
) -> None:
    provider.tokens["opaque"] = ANNA | changes
    assert introspected(provider).verify("opaque").user_id == user_id


def test_the_claims_are_named_as_those_of_tokens(provider: FakeIdentityProvider) -> None:
    provider.tokens["opaque"] = {
        "active": True,
        "user": {"id": 7},
        "https://example.org/email": "a@b",
        "ok": "true",
    }
    expected = replace(EXPECTED, user_id="user.id", email="https://example.org/email", email_verified="ok")
    assert introspected(provider, expected).verify("opaque") == Caller("7", "a@b", email_verified=True)


@pytest.mark.parametrize("verified", [None, False, "false", 1, "yes"])
def test_an_address_of_which_nobody_says_that_it_is_verified_is_not(
    provider: FakeIdentityProvider, verified: object
) -> None:
    provider.tokens["opaque"] = ANNA | {"email_verified": verified}
    assert introspected(provider).verify("opaque").email_verified is False


REFUSED: dict[str, dict[str, Any]] = {
    "not active": {"active": False},
    "no user": {"sub": None},
    "empty user": {"sub": "", "username": "anna"},
    "user that no worker takes": {"sub": "x" * 256},
    "list as user": {"sub": ["anna"], "username": "anna"},
    "other audience": {"aud": "shop"},
    "other audience, and our name as the client": {"aud": "shop", "client_id": "memberships"},
    "no audience among them": {"aud": []},
    "expired": {"exp": NOW - 31},
    "expiry in milliseconds": {"exp": (NOW + 300) * 1000},
    "expiry is text": {"exp": "tomorrow"},
    "not yet valid": {"nbf": NOW + 600},
    "number as email": {"email": 7},
    "bound to a key": {"token_type": "DPoP"},
    "refresh token": {"token_use": "refresh_token"},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_that_the_answer_does_not_make_good_is_refused(
    provider: FakeIdentityProvider, changes: dict[str, Any]
) -> None:
    provider.tokens["opaque"] = ANNA | changes
    with pytest.raises(InvalidToken):
        introspected(provider).verify("opaque")


@pytest.mark.parametrize("issuer", [None, "https://evil.example.org", ["https://id.example.org"]])
def test_an_issuer_that_is_set_must_be_named(provider: FakeIdentityProvider, issuer: object) -> None:
    tokens = introspected(provider, replace(EXPECTED, issuer="https://id.example.org"))
    provider.tokens |= {"good": ANNA | {"iss": "https://id.example.org"}, "bad": ANNA | {"iss": issuer}}
    assert tokens.verify("good").user_id == "anna"
    with pytest.raises(InvalidToken, match="issuer"):
        tokens.verify("bad")


def test_only_where_no_claim_is_set_the_username_stands_for_the_subject(provider: FakeIdentityProvider) -> None:
    provider.tokens["opaque"] = {"active": True, "username": "anna"}
    with pytest.raises(InvalidToken, match="member_no is not a user id"):
        introspected(provider, replace(EXPECTED, user_id="member_no")).verify("opaque")
    assert introspected(provider, replace(EXPECTED, user_id="username")).verify("opaque").user_id == "anna"


@pytest.mark.parametrize(
    "token", ["", " ", "a b", "a\r\nX: y", "ä", "\ud800", "a\x00", "=", "a,b", "x" * 8193, '"', "a&token=b", "a%26b"]
)
def test_what_is_no_bearer_token_is_asked_about_nowhere(provider: FakeIdentityProvider, token: str) -> None:
    with pytest.raises(InvalidToken, match="not a bearer token"):
        introspected(provider).verify(token)
    assert provider.seen == []


@given(
    st.dictionaries(
        st.sampled_from(["active", "sub", "username", "aud", "exp", "email", "iss", "token_type"]),
        st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.lists(st.text(max_size=2)),
    )
)
def test_whatever_an_answer_says_it_makes_a_caller_or_none(changes: dict[str, Any]) -> None:
    try:
        caller, _ = EXPECTED.introspected({"sub": "anna"} | changes, NOW)
    except InvalidToken:
        return
    assert 0 < len(caller.user_id) <= 255
    assert isinstance(caller.email, str | None)


# --- What it may do to us ---------------------------------------------------------------------------------------------

UNUSABLE: dict[str, tuple[Reply, str]] = {
    "no active": (
        answer({"sub": "anna"}),
        "status=200 event=refused reason={} does not say whether the token is active.",
    ),
    "active as text": (answer(ANNA | {"active": "true"}), "status=200 event=refused reason={} does not say whether"),
    "HTML": (
        Reply(b"<html>canary</html>", headers=[("Content-Type", "text/html")]),
        "status=200 event=refused reason={} answers with something that is 'text/html', where JSON is expected.",
    ),
    "JSON that is called HTML": (
        answer(ANNA, media_type="text/html"),
        "status=200 event=refused reason={} answers with",
    ),
    "a signed answer": (
        answer(ANNA, media_type="application/token-introspection+jwt"),
        "status=200 event=refused reason={} answers with something that is 'application/token-introspection+jwt'",
    ),
    "no type": (Reply(b"{}"), "status=200 event=refused reason={} answers with something that has no Content-Type"),
    "HTML that is called JSON": (
        Reply(b"<html>canary</html>", headers=JSON),
        "status=200 event=refused reason={} answers with something that is not JSON.",
    ),
    "list": (answer([ANNA]), "status=200 event=refused reason={} answers with JSON that is no object."),
    "deep": (Reply(b"[" * 500_000, headers=JSON), "status=200 event=refused reason={} answers with something that is"),
    "number of too many digits": (Reply(b'{"exp":' + b"9" * 5000 + b"}", headers=JSON), "status=200 event=refused"),
    "huge": (
        Reply(b" " * (MIB + 1), headers=JSON),
        f"status=200 event=refused reason={{}} is larger than {MIB} bytes.",
    ),
    "redirect": (
        Reply(b"", 307, [("Location", "/introspect")]),
        "status=307 event=refused reason={} redirects, which is not followed: set the final URL.",
    ),
    "our secret is wrong": (
        Reply(b'{"error": "canary"}', 401, JSON),
        "status=401 event=refused reason={} does not accept our client id and secret, or lets them ask about no token.",
    ),
    "we may not": (Reply(b"", 403), "status=403 event=refused reason={} does not accept our client id and secret"),
    "we ask in a wrong way": (Reply(b"", 400), "status=400 event=refused reason={} answers with status 400."),
    "down": (Reply(b"", 503), "status=503 event=provider_unanswered reason={} answers with status 503."),
    "busy": (Reply(b"", 429), "status=429 event=provider_unanswered reason={} answers with status 429."),
    "broken": (Reply(broken=True), "status=none event=provider_unanswered reason={} broke off its answer."),
}


@pytest.mark.parametrize("reply, line", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_that_cannot_be_used_lets_nobody_in_and_is_one_line(
    provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture, reply: Reply, line: str
) -> None:
    provider.instead = reply
    tokens = introspected(provider)
    for _ in range(2):
        with pytest.raises(IdentityUnavailable):
            tokens.verify("opaque")
    (record,) = caplog.records
    where = f"The introspection endpoint at 127.0.0.1:{provider.port}/introspect"
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"by=identity_provider {line.format(where)}")
    assert not re.search("canary|opaque|the client", record.getMessage())

    provider.instead = None
    assert tokens.verify("opaque").user_id == "anna"


def test_a_wrong_secret_is_told_and_not_shown(provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(CLIENT_ID, "hunter2")
    with pytest.raises(IdentityUnavailable):
        introspected(provider, client=client).verify("opaque")
    assert "status=401 event=refused" in caplog.text
    assert "hunter2" not in caplog.text + repr(client)


def test_an_endpoint_that_is_not_there_lets_nobody_in(provider: FakeIdentityProvider) -> None:
    with closed_port() as port:
        provider.introspection_url = f"http://127.0.0.1:{port}/"
        with pytest.raises(IdentityUnavailable):
            introspected(provider).verify("opaque")


def test_an_endpoint_that_hangs_is_left_when_the_time_is_up(
    provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.gate.clear()
    with pytest.raises(IdentityUnavailable):
        introspected(provider, limits=Limits(seconds=0.3)).verify("opaque")
    assert "event=provider_unanswered" in caplog.text


def test_who_waits_does_not_wait_for_ever_whatever_the_call_does(provider: FakeIdentityProvider) -> None:
    provider.gate.clear()
    tokens = introspected(provider, limits=Limits(seconds=600), keeping=Keeping(wait=0.3))
    with pytest.raises(IdentityUnavailable, match="takes too long"):
        tokens.verify("opaque")


# --- What is kept -----------------------------------------------------------------------------------------------------


def test_an_answer_is_kept_for_a_minute_and_no_longer(provider: FakeIdentityProvider) -> None:
    clock = Clock()
    tokens = introspected(provider, clock=clock)
    tokens.verify("opaque")
    provider.tokens["opaque"] = {"active": False}
    clock.now += 59.9
    assert tokens.verify("opaque").user_id == "anna"
    assert len(provider.seen) == 1
    clock.now += 0.1
    with pytest.raises(InvalidToken, match="not active"):
        tokens.verify("opaque")


def test_an_answer_is_not_kept_beyond_its_expiry(provider: FakeIdentityProvider) -> None:
    clock = Clock()
    tokens = introspected(provider, clock=clock)
    provider.tokens["opaque"] = ANNA | {"exp": NOW + 20}
    tokens.verify("opaque")
    clock.now += 21
    tokens.verify("opaque")
    assert len(provider.seen) == 2


def test_what_is_expired_within_the_leeway_is_not_kept(provider: FakeIdentityProvider) -> None:
    tokens = introspected(provider)
    provider.tokens["opaque"] = ANNA | {"exp": NOW - 5}
    for _ in range(2):
        tokens.verify("opaque")
    assert len(provider.seen) == 2


def test_a_refusal_is_not_kept(provider: FakeIdentityProvider) -> None:
    tokens = introspected(provider)
    provider.tokens["opaque"] = {"active": False}
    with pytest.raises(InvalidToken):
        tokens.verify("opaque")
    provider.tokens["opaque"] = ANNA
    assert tokens.verify("opaque").user_id == "anna"


def test_so_many_answers_are_kept_and_the_one_that_nobody_asked_for_goes_first(provider: FakeIdentityProvider) -> None:
    tokens = introspected(provider, keeping=Keeping(most=2))
    provider.tokens |= {"b": ANNA, "c": ANNA}
    for token in ("opaque", "b", "opaque", "c", "opaque", "b"):
        tokens.verify(token)
    asked = [seen.body.split(b"&")[0].removeprefix(b"token=") for seen in provider.seen]
    assert asked == [b"opaque", b"b", b"c", b"b"]


def test_nothing_of_a_token_stays_in_memory(provider: FakeIdentityProvider) -> None:
    answers: KeptAnswers[Caller] = KeptAnswers()
    provider.tokens["a-token-of-anna"] = ANNA
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_INTROSPECTION_URL", provider.introspection_url)
    IntrospectedTokens(endpoint, CLIENT, EXPECTED, answers).verify("a-token-of-anna")
    assert "a-token-of-anna" not in repr({**answers.__dict__})


# --- Many at once -----------------------------------------------------------------------------------------------------


def crowd(count: int, ask: Callable[[int], Caller]) -> "Queue[Caller | AuthenticationError]":
    """As many callers, each in a thread; gives what they get as they get it."""
    answers: Queue[Caller | AuthenticationError] = Queue()

    def one(number: int) -> None:
        try:
            answers.put(ask(number))
        except AuthenticationError as error:
            answers.put(error)

    for number in range(count):
        threading.Thread(target=one, args=(number,), daemon=True).start()
    return answers


def test_callers_with_the_same_token_wait_for_one_call(provider: FakeIdentityProvider) -> None:
    tokens = introspected(provider, limits=Limits(seconds=600), keeping=Keeping(wait=600))
    provider.gate.clear()
    answers = crowd(16, lambda _: tokens.verify("opaque"))
    assert provider.begun.acquire(timeout=STUCK)
    provider.gate.set()
    assert {answers.get(timeout=STUCK) for _ in range(16)} == {Caller("anna", "anna@example.org", email_verified=True)}
    assert len(provider.seen) == 1


def test_who_has_a_known_token_is_answered_while_a_crowd_waits_for_unknown_ones(
    provider: FakeIdentityProvider,
) -> None:
    tokens = introspected(provider, limits=Limits(seconds=600), keeping=Keeping(wait=600))
    tokens.verify("opaque")
    provider.gate.clear()
    answers = crowd(46, lambda number: tokens.verify(f"unknown-{number}"))
    turned_away = [answers.get(timeout=STUCK) for _ in range(30)]
    assert {type(one) for one in turned_away} == {IdentityUnavailable}

    assert tokens.verify("opaque").user_id == "anna"

    assert not provider.gate.is_set()
    provider.gate.set()
    assert {type(answers.get(timeout=STUCK)) for _ in range(16)} == {InvalidToken}
    assert len(provider.seen) == 17
