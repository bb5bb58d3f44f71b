"""Who shows a token again is known, for as long as it is good; and who is known at once waits for nobody."""

import time
from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

import jwt
import pytest

from memberships_export.adapters.identity.checked_tokens import Checked, CheckedTokens
from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint
from memberships_export.adapters.identity.introspection import Client, IntrospectedTokens
from memberships_export.adapters.identity.jwks import JwksVerifier
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.remote_keys import Keys, RemoteKeys, Timing
from memberships_export.adapters.identity.userinfo import WithUserinfo
from memberships_export.service.user.callers import Caller, InvalidToken, PromptVerifier
from rig.services.fake_identity_provider import CLIENT_ID, CLIENT_SECRET, FakeIdentityProvider
from tests.fakes.forged_tokens import OTHER_RSA_KEY, RSA_KEY, SECRET, claims, hs, public_jwk, rs

EXPECTED = ExpectedClaims(audiences=frozenset({"memberships"}))
ANNA = Caller("anna")
OLD, NEW = ("RS256", "old"), ("RS256", "new")


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


Checks = list[Mapping[str, Any]]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    """Notes the claims of each token that is checked, after its signature."""
    checked: list[Mapping[str, Any]] = []
    caller = ExpectedClaims.caller

    def noting(expected: ExpectedClaims, claims: Mapping[str, Any], now: float) -> Caller:
        checked.append(claims)
        return caller(expected, claims, now)

    monkeypatch.setattr(ExpectedClaims, "caller", noting)
    return checked


def a_token(clock: Clock, **changes: object) -> str:
    return hs(claims(**{"exp": int(clock.now) + 600, "iat": None} | changes))


# --- A shared secret --------------------------------------------------------------------------------------------------


def test_a_token_that_is_shown_again_is_verified_once(clock: Clock, checks: Checks) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED), a_token(clock)
    assert {tokens.verify(token), tokens.at_once(token), tokens.at_once(token, to_mail_to=True)} == {ANNA}
    assert len(checks) == 1


def test_it_is_known_until_it_expires_and_then_refused_as_ever(clock: Clock, checks: Checks) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED), a_token(clock)
    tokens.verify(token)
    clock.now += 599
    assert tokens.verify(token) == ANNA
    assert len(checks) == 1
    clock.now += 1
    assert tokens.verify(token) == ANNA, "clocks may differ by thirty seconds"
    assert len(checks) == 2, "what has expired is checked each time"
    clock.now += 30
    with pytest.raises(InvalidToken, match="expired"):
        tokens.verify(token)


def test_a_clock_that_is_set_back_makes_a_token_not_yet_valid_again(clock: Clock) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED), a_token(clock, nbf=int(clock.now))
    tokens.verify(token)
    clock.now -= 31
    with pytest.raises(InvalidToken, match="not yet valid"):
        tokens.verify(token)


def test_where_each_token_is_shown_once_none_is_kept(clock: Clock, checks: Checks) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED, most=0), a_token(clock)
    assert tokens.verify(token) == tokens.verify(token) == ANNA
    assert len(checks) == 2


def test_a_refused_token_is_not_kept(clock: Clock, checks: Checks) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED), a_token(clock, aud="another")
    for _ in range(2):
        with pytest.raises(InvalidToken):
            tokens.verify(token)
    assert len(checks) == 2


def test_another_spelling_of_a_known_token_is_another_token(clock: Clock) -> None:
    tokens, token = SharedSecretVerifier(SECRET, EXPECTED), a_token(clock)
    tokens.verify(token)
    for other in (token[:-1], token + "A", token.replace(".", "..", 1), token.swapcase(), token + "\ud800"):
        with pytest.raises(InvalidToken):
            tokens.verify(other)


def test_what_one_verifier_knows_is_nothing_to_another(clock: Clock) -> None:
    token = a_token(clock)
    SharedSecretVerifier(SECRET, EXPECTED).verify(token)
    for other in (
        SharedSecretVerifier("another secret of thirty-two bytes", EXPECTED),
        SharedSecretVerifier(SECRET, ExpectedClaims(audiences=frozenset({"memberships-api"}))),
    ):
        with pytest.raises(InvalidToken):
            other.verify(token)


# --- What is kept -----------------------------------------------------------------------------------------------------


def test_so_many_are_kept_and_what_nobody_showed_for_the_longest_time_goes_first(clock: Clock) -> None:
    kept = CheckedTokens(2, clock)
    one = Checked(ANNA, clock.now, clock.now + 60)
    kept.keep("first", one)
    kept.keep("second", one)
    assert kept.find("first")
    kept.keep("third", one)
    assert [kept.find(token) is not None for token in ("first", "second", "third")] == [True, False, True]


def test_nothing_of_a_token_is_kept_but_its_hash(clock: Clock) -> None:
    kept, token = CheckedTokens(clock=clock), a_token(clock)
    kept.keep(token, Checked(ANNA, clock.now, clock.now + 60))
    shown = repr(vars(kept))
    assert not [part for part in token.split(".") if part in shown]


def test_what_has_expired_takes_no_room(clock: Clock) -> None:
    kept = CheckedTokens(clock=clock)
    kept.keep("token", Checked(ANNA, clock.now, clock.now + 60))
    clock.now += 60
    assert kept.find("token") is None
    assert "Checked(" not in repr(vars(kept))


# --- Keys of a provider -----------------------------------------------------------------------------------------------


class Provider:
    """A key set. `read_again` makes the keys at hand old, and waits until they are read anew."""

    where = "id.example.org/keys"

    def __init__(self) -> None:
        self.keys: Keys = {OLD: jwt.PyJWK(public_jwk(RSA_KEY, "old"))}
        self.seconds = 1000.0
        self.remote = RemoteKeys(self, Timing(cooldown=0), lambda: self.seconds)
        self.reads = 0
        self.was_read = Event()

    def read(self) -> Keys | None:
        self.reads += 1
        self.was_read.set()
        return dict(self.keys)

    def read_again(self) -> None:
        self.seconds += 301
        with pytest.raises(InvalidToken):
            self.remote.key(("RS256", "unknown"))


@pytest.fixture
def provider() -> Provider:
    return Provider()


def by_old_key(clock: Clock) -> str:
    return rs(claims(exp=int(clock.now) + 6000, iat=None), RSA_KEY, kid="old")


def test_a_token_whose_key_is_not_at_hand_is_left_to_whoever_may_wait(provider: Provider, clock: Clock) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    assert tokens.at_once(token) is None
    assert provider.reads == 0
    assert tokens.verify(token) == ANNA
    assert tokens.at_once(token) == ANNA


def test_a_token_of_a_key_at_hand_is_verified_once(provider: Provider, clock: Clock, checks: Checks) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    tokens.verify(token)
    checks.clear()
    assert [tokens.at_once(token) for _ in range(3)] == [ANNA] * 3
    assert len(checks) == 1


def test_a_token_whose_key_was_withdrawn_does_not_live_on(provider: Provider, clock: Clock) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    tokens.verify(token)
    assert tokens.at_once(token) == ANNA
    provider.keys = {NEW: jwt.PyJWK(public_jwk(OTHER_RSA_KEY, "new"))}
    provider.read_again()
    assert tokens.at_once(token) is None
    with pytest.raises(InvalidToken, match="not in the configured key set"):
        tokens.verify(token)


def test_a_token_of_a_key_that_was_exchanged_under_its_name_does_not_live_on(provider: Provider, clock: Clock) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    tokens.verify(token)
    assert tokens.at_once(token) == ANNA
    provider.keys = {OLD: jwt.PyJWK(public_jwk(OTHER_RSA_KEY, "old"))}
    provider.read_again()
    with pytest.raises(InvalidToken, match="signature"):
        tokens.at_once(token)


def test_known_tokens_alone_have_the_keys_read_again(provider: Provider, clock: Clock) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    tokens.verify(token)
    tokens.at_once(token)
    provider.seconds += 301
    provider.was_read.clear()
    assert tokens.at_once(token) == ANNA
    assert provider.was_read.wait(60)


def test_after_a_day_without_keys_a_known_token_is_not_let_in(provider: Provider, clock: Clock) -> None:
    tokens, token = JwksVerifier(provider.remote, EXPECTED), by_old_key(clock)
    tokens.verify(token)
    assert tokens.at_once(token) == ANNA
    provider.keys = {}
    provider.seconds += 86_400
    assert tokens.at_once(token) is None


# --- Those who ask ----------------------------------------------------------------------------------------------------


@pytest.fixture
def idp() -> Iterator[FakeIdentityProvider]:
    with FakeIdentityProvider() as made:
        yield made


def test_what_introspection_said_lately_is_known_at_once_and_kept_nowhere_else(idp: FakeIdentityProvider) -> None:
    idp.tokens["opaque"] = {"active": True, "sub": "anna"}
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_INTROSPECTION_URL", idp.introspection_url)
    tokens = IntrospectedTokens(endpoint, Client(CLIENT_ID, CLIENT_SECRET), EXPECTED)
    assert tokens.at_once("opaque") is None
    assert idp.seen == []
    tokens.verify("opaque")
    assert (tokens.at_once("opaque") or ANNA).user_id == "anna"
    assert len(idp.seen) == 1
    assert not [value for value in vars(tokens).values() if isinstance(value, CheckedTokens)]


def test_an_address_that_must_be_asked_for_is_not_known_at_once(idp: FakeIdentityProvider) -> None:
    token = hs(claims())
    idp.users[token] = {"sub": "anna", "email": "anna@example.org", "email_verified": True}
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", idp.userinfo_url)
    tokens = WithUserinfo(SharedSecretVerifier(SECRET, EXPECTED), endpoint, EXPECTED)
    assert tokens.at_once(token) == ANNA
    assert tokens.at_once(token, to_mail_to=True) is None
    assert idp.seen == []
    asked = tokens.verify_with_address(token)
    assert tokens.at_once(token, to_mail_to=True) == asked
    assert asked.email == "anna@example.org"


def test_where_the_tokens_must_be_asked_about_nothing_is_known_at_once(idp: FakeIdentityProvider) -> None:
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", idp.userinfo_url)
    tokens = WithUserinfo(AnyOf([SharedSecretVerifier(SECRET, EXPECTED)]), endpoint, EXPECTED)
    assert tokens.at_once(hs(claims())) is None
    assert not isinstance(AnyOf([]), PromptVerifier)
