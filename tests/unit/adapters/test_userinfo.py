"""The address of a user whose token does not prove one."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint, Limits
from memberships_export.adapters.identity.introspection import Client, IntrospectedTokens
from memberships_export.adapters.identity.jwt import SharedSecretVerifier
from memberships_export.adapters.identity.userinfo import WithUserinfo
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken
from rig.services.fake_identity_provider import CLIENT_ID, CLIENT_SECRET, JSON, FakeIdentityProvider, answer
from rig.services.recording_api import Reply
from tests.fakes.forged_tokens import SECRET, claims, hs

EXPECTED = ExpectedClaims(audiences=frozenset({"memberships"}), issuer="https://id.example.org")
JWTS = SharedSecretVerifier(SECRET, EXPECTED)
ANNA: dict[str, Any] = {"sub": "anna", "email": "anna@example.org", "email_verified": True}
MIB = 1024 * 1024


@pytest.fixture
def provider() -> Iterator[FakeIdentityProvider]:
    with FakeIdentityProvider() as made:
        yield made


def with_userinfo(provider: FakeIdentityProvider, expected: ExpectedClaims = EXPECTED) -> WithUserinfo:
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", provider.userinfo_url)
    return WithUserinfo(SharedSecretVerifier(SECRET, expected), endpoint, expected)


def test_the_address_that_a_token_lacks_is_asked_for_with_that_token(provider: FakeIdentityProvider) -> None:
    token = hs(claims())
    provider.users[token] = ANNA
    caller = with_userinfo(provider).verify_with_address(token)
    assert caller == Caller("anna", "anna@example.org", email_verified=True)
    (seen,) = provider.seen
    assert (seen.method, seen.target) == ("GET", "/userinfo")
    assert seen.header("Authorization") == f"Bearer {token}"


def test_nobody_is_asked_for_an_address_that_the_token_proves_or_that_nobody_needs(
    provider: FakeIdentityProvider,
) -> None:
    tokens = with_userinfo(provider)
    proven = hs(claims(email="anna@example.org", email_verified=True))
    assert tokens.verify_with_address(proven) == Caller("anna", "anna@example.org", email_verified=True)
    assert tokens.verify(hs(claims())) == Caller("anna")
    assert provider.seen == []


@pytest.mark.parametrize("verified", [None, False])
def test_an_address_that_the_token_does_not_prove_gives_way_to_the_one_that_is_proven(
    provider: FakeIdentityProvider, verified: object
) -> None:
    token = hs(claims(email="old@example.org", email_verified=verified))
    provider.users[token] = ANNA
    assert with_userinfo(provider).verify_with_address(token).email == "anna@example.org"


def test_language_and_zone_come_along_where_the_token_does_not_say_them(provider: FakeIdentityProvider) -> None:
    said = {"locale": "de-CH", "zoneinfo": "Europe/Zurich"}
    silent, french = hs(claims()), hs(claims(locale="fr"))
    provider.users |= {silent: ANNA | said, french: ANNA | said}
    tokens = with_userinfo(provider)
    callers = [tokens.verify_with_address(token) for token in (silent, french)]
    assert [(caller.locale, caller.time_zone) for caller in callers] == [
        ("de-CH", "Europe/Zurich"),
        ("fr", "Europe/Zurich"),
    ]


@pytest.mark.parametrize("said", [7, ["de"], {"language": "de"}, ""])
def test_a_language_or_zone_that_is_no_text_makes_no_answer_unusable(
    provider: FakeIdentityProvider, said: object
) -> None:
    token = hs(claims())
    provider.users[token] = ANNA | {"locale": said, "zoneinfo": said}
    caller = with_userinfo(provider).verify_with_address(token)
    assert caller == Caller("anna", "anna@example.org", email_verified=True)


def test_a_token_that_is_not_good_is_shown_to_nobody(provider: FakeIdentityProvider) -> None:
    with pytest.raises(InvalidToken):
        with_userinfo(provider).verify_with_address(hs(claims(aud="shop")))
    assert provider.seen == []


@pytest.mark.parametrize("verified", [None, False, "false", "yes", 1])
def test_an_address_of_which_nobody_says_that_it_is_verified_is_not(
    provider: FakeIdentityProvider, verified: object
) -> None:
    token = hs(claims())
    provider.users[token] = ANNA | {"email_verified": verified}
    assert with_userinfo(provider).verify_with_address(token).email_verified is False


def test_a_user_without_an_address_has_none(provider: FakeIdentityProvider) -> None:
    token = hs(claims(email="old@example.org"))
    provider.users[token] = {"sub": "anna"}
    assert with_userinfo(provider).verify_with_address(token) == Caller("anna", None, email_verified=False)


def test_the_claims_are_named_as_those_of_tokens(provider: FakeIdentityProvider) -> None:
    expected = ExpectedClaims(
        audiences=frozenset({"memberships"}), user_id="member_no", email="mail.address", email_verified="mail.checked"
    )
    token = hs(claims(member_no=4711))
    provider.users[token] = {"sub": "anna", "mail": {"address": "a@example.org", "checked": "true"}}
    assert with_userinfo(provider, expected).verify_with_address(token) == Caller(
        "4711", "a@example.org", email_verified=True
    )


def test_a_subject_may_be_a_number_at_one_end_and_text_at_the_other(provider: FakeIdentityProvider) -> None:
    token = hs(claims(sub="7"))
    provider.users[token] = ANNA | {"sub": 7}
    assert with_userinfo(provider).verify_with_address(token).email == "anna@example.org"


UNUSABLE: dict[str, tuple[Reply, str]] = {
    "about another user": (answer(ANNA | {"sub": "ben"}), "status=200 event=refused reason={} answers about another"),
    "about nobody": (answer(ANNA | {"sub": None}), "status=200 event=refused reason={} answers about another user"),
    "about a list": (answer(ANNA | {"sub": ["anna"]}), "status=200 event=refused reason={} answers about another user"),
    "list as email": (answer(ANNA | {"email": ["a@b"]}), "status=200 event=refused reason={} answers with an email"),
    "HTML": (Reply(b"canary", headers=[("Content-Type", "text/html")]), "status=200 event=refused reason={} answers"),
    "a signed answer": (answer(ANNA, media_type="application/jwt"), "status=200 event=refused reason={} answers with"),
    "no JSON": (
        Reply(b"canary", headers=JSON),
        "status=200 event=refused reason={} answers with something that is",
    ),
    "huge": (Reply(b" " * (MIB + 1), headers=JSON), "status=200 event=refused reason={} is larger than"),
    "redirect": (Reply(b"", 302, [("Location", "/userinfo")]), "status=302 event=refused reason={} redirects"),
    "not there": (Reply(b"", 404), "status=404 event=refused reason={} answers with status 404."),
    "down": (Reply(b"", 500), "status=500 event=provider_unanswered reason={} answers with status 500."),
    "broken": (Reply(broken=True), "status=none event=provider_unanswered reason={} broke off its answer."),
}


@pytest.mark.parametrize("reply, line", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_that_cannot_be_used_gives_no_address_and_is_one_line(
    provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture, reply: Reply, line: str
) -> None:
    token = hs(claims(email="old@example.org"))
    provider.instead = reply
    tokens = with_userinfo(provider)
    for _ in range(2):
        with pytest.raises(IdentityUnavailable):
            tokens.verify_with_address(token)
    (record,) = caplog.records
    where = f"The userinfo endpoint at 127.0.0.1:{provider.port}/userinfo"
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"by=identity_provider {line.format(where)}")
    assert "canary" not in record.getMessage()
    assert token not in record.getMessage()

    provider.instead, provider.users[token] = None, ANNA
    assert tokens.verify_with_address(token).email == "anna@example.org"


def test_a_token_that_the_provider_has_taken_back_is_refused(
    provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidToken, match="does not accept the token"):
        with_userinfo(provider).verify_with_address(hs(claims()))
    assert "status=401 event=provider_unanswered" in caplog.text


def test_a_token_that_may_not_read_the_address_has_none(
    provider: FakeIdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.instead = Reply(b"", 403)
    caller = with_userinfo(provider).verify_with_address(hs(claims(email="old@example.org")))
    assert caller == Caller("anna", None, email_verified=False)
    assert "status=403 event=provider_unanswered" in caplog.text
    assert "scope email" in caplog.text


def test_who_was_not_allowed_to_read_the_address_is_asked_about_anew(provider: FakeIdentityProvider) -> None:
    token = hs(claims())
    provider.instead, provider.users[token] = Reply(b"", 403), ANNA
    tokens = with_userinfo(provider)
    assert tokens.verify_with_address(token).email is None
    provider.instead = None
    assert tokens.verify_with_address(token).email == "anna@example.org"


def test_an_endpoint_that_hangs_is_left_when_the_time_is_up(provider: FakeIdentityProvider) -> None:
    provider.gate.clear()
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", provider.userinfo_url, Limits(seconds=0.3))
    with pytest.raises(IdentityUnavailable):
        WithUserinfo(JWTS, endpoint, EXPECTED).verify_with_address(hs(claims()))


def test_the_address_is_asked_for_once_in_a_while(provider: FakeIdentityProvider) -> None:
    token = hs(claims())
    provider.users[token] = ANNA
    tokens = with_userinfo(provider)
    assert len({tokens.verify_with_address(token) for _ in range(5)}) == 1
    assert len(provider.seen) == 1


def test_a_token_that_ends_meanwhile_gets_no_kept_address(provider: FakeIdentityProvider) -> None:
    token = hs(claims())
    provider.users[token] = ANNA

    class Ending:
        good = True

        def verify(self, token: str) -> Caller:
            if not self.good:
                raise InvalidToken("The token has expired: get a new one.")
            return JWTS.verify(token)

    inner = Ending()
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", provider.userinfo_url)
    tokens = WithUserinfo(inner, endpoint, EXPECTED)
    assert tokens.verify_with_address(token).email == "anna@example.org"
    inner.good = False
    with pytest.raises(InvalidToken):
        tokens.verify_with_address(token)


def test_an_introspected_token_gets_its_address_too(provider: FakeIdentityProvider) -> None:
    provider.tokens["opaque"] = {"active": True, "sub": "anna"}
    provider.users["opaque"] = ANNA
    introspection = Endpoint("MEMBERSHIPS_EXPORT_INTROSPECTION_URL", provider.introspection_url)
    inner = IntrospectedTokens(introspection, Client(CLIENT_ID, CLIENT_SECRET), EXPECTED_OF_ANY)
    endpoint = Endpoint("MEMBERSHIPS_EXPORT_USERINFO_URL", provider.userinfo_url)
    tokens = WithUserinfo(inner, endpoint, EXPECTED_OF_ANY)
    assert tokens.verify_with_address("opaque") == Caller("anna", "anna@example.org", email_verified=True)

    provider.tokens["named"] = {"active": True, "username": "anna"}
    provider.users["named"] = ANNA
    assert tokens.verify_with_address("named").email == "anna@example.org", "it has no sub to compare"


EXPECTED_OF_ANY = ExpectedClaims(audiences=frozenset({"memberships"}))
