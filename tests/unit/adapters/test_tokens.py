from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.service_tokens import ServiceTokens, mint_user_token
from memberships_export.service.user.callers import Caller, InvalidToken, KeysUnavailable, TokenVerifier
from tests.fakes.forged_tokens import (
    OTHER_RSA_KEY,
    OTHER_SECRET,
    SECRET,
    Claims,
    by_hand,
    claims,
    hs,
    part,
    rs,
    soon,
    with_payload,
)

Forge = Callable[[], str]
SHARED = SharedSecretVerifier(SECRET, "memberships", "https://id.example.org")


# --- Good tokens ------------------------------------------------------------------------------------------------------


def test_a_good_token_names_its_caller() -> None:
    token = hs(claims(email="anna@example.org", email_verified=True, scope="a b"))
    assert SHARED.verify(token) == Caller("anna", "anna@example.org", email_verified=True, scope="a b")


def test_a_token_without_email_and_scope_is_good() -> None:
    assert SHARED.verify(hs(claims())) == Caller("anna", None, None, "")


@pytest.mark.parametrize(
    "claim,verified",
    [(True, True), ("true", True), (False, False), ("false", False), ("yes", False), (0, False), ([], False)],
)
def test_email_verified_is_true_only_when_the_token_says_so(claim: object, verified: bool) -> None:  # noqa: FBT001
    assert SHARED.verify(hs(claims(email_verified=claim))).email_verified is verified


def test_one_of_the_audiences_of_a_token_is_enough() -> None:
    assert SHARED.verify(hs(claims(aud=["shop", "memberships"]))).user_id == "anna"


def test_clocks_may_differ_by_less_than_thirty_seconds() -> None:
    assert SHARED.verify(hs(claims(exp=soon(-20)))).user_id == "anna"
    assert SHARED.verify(hs(claims(nbf=soon(20), iat=soon(20)))).user_id == "anna"


def test_any_issuer_will_do_when_none_is_set() -> None:
    assert SharedSecretVerifier(SECRET, "memberships").verify(hs(claims(iss="anybody"))).user_id == "anna"


# --- Forged tokens ----------------------------------------------------------------------------------------------------

WRONG_CLAIMS: dict[str, Claims] = {
    "expired": {"exp": soon(-31)},
    "expired long ago": {"exp": 1},
    "not yet valid": {"nbf": soon(600)},
    "issued in the future": {"iat": soon(600)},
    "expiry is text": {"exp": "tomorrow"},
    "expiry is a list": {"exp": [1]},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "number as subject": {"sub": 7},
    "list as subject": {"sub": ["anna"]},
    "long subject": {"sub": "a" * 256},
    "line break in subject": {"sub": "anna\r\nX: y"},
    "NUL in subject": {"sub": "anna\x00"},
    "right-to-left override in subject": {"sub": "anna\u202e"},
    "half a surrogate in subject": {"sub": "anna\ud800"},
    "no audience": {"aud": None},
    "empty audience": {"aud": ""},
    "audience of somebody else": {"aud": "billing"},
    "longer audience": {"aud": "memberships-api"},
    "list of other audiences": {"aud": ["billing", "shop"]},
    "mapping as audience": {"aud": {"memberships": 1}},
    "no issuer": {"iss": None},
    "other issuer": {"iss": "https://evil.example"},
    "longer issuer": {"iss": "https://id.example.org/"},
    "list with the issuer": {"iss": ["https://id.example.org"]},
    "list as email": {"email": ["anna@example.org"]},
    "number as scope": {"scope": 1},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_a_well_signed_token_with_wrong_claims_is_refused(changes: Claims) -> None:
    token = by_hand({"alg": "HS256", "typ": "JWT"}, claims(**changes), SECRET.encode())
    with pytest.raises(InvalidToken):
        SHARED.verify(token)


FORGED_HS: dict[str, Forge] = {
    "empty": lambda: "",
    "no JWT": lambda: "canary",
    "two parts": lambda: ".".join(hs(claims()).split(".")[:2]),
    "no signature": lambda: ".".join(hs(claims()).split(".")[:2]) + ".",
    "four parts": lambda: hs(claims()) + ".x",
    "five parts, as encrypted": lambda: "a.b.c.d.e",
    "dots only": lambda: "..",
    "truncated": lambda: hs(claims())[:-3],
    "huge": lambda: hs(claims(padding="x" * 9000)),
    "huge nonsense": lambda: "x" * 10_000_000,
    "non-ASCII": lambda: hs(claims()) + "é",
    "half a surrogate": lambda: hs(claims()) + "\ud800",
    "trailing line break": lambda: hs(claims()) + "\n",
    "leading blank": lambda: " " + hs(claims()),
    "wrong key": lambda: hs(claims(), OTHER_SECRET),
    "empty key": lambda: by_hand({"alg": "HS256"}, claims(), b""),
    "tampered subject": lambda: with_payload(hs(claims()), claims(sub="ben")),
    "alg none": lambda: jwt.encode(claims(), "", algorithm="none"),
    "alg None": lambda: f"{part({'alg': 'None'})}.{part(claims())}.",
    "alg none, with a signature": lambda: by_hand({"alg": "none"}, claims(), SECRET.encode()),
    "no alg": lambda: by_hand({"typ": "JWT"}, claims(), SECRET.encode()),
    "alg is null": lambda: by_hand({"alg": None}, claims(), SECRET.encode()),
    "alg is a list": lambda: by_hand({"alg": ["HS256"]}, claims(), SECRET.encode()),
    "alg in small letters": lambda: by_hand({"alg": "hs256"}, claims(), SECRET.encode()),
    "HS384 with the right key": lambda: hs(claims(), SECRET + "." * 20, "HS384"),
    "RS256 of a stranger": lambda: rs(claims(), OTHER_RSA_KEY),
    "header is a list": lambda: by_hand(["HS256"], claims(), SECRET.encode()),
    "header is deep": lambda: by_hand(b'{"alg":' * 900, claims(), SECRET.encode()),
    "payload is a list": lambda: by_hand({"alg": "HS256"}, [claims()], SECRET.encode()),
    "payload is no JSON": lambda: by_hand({"alg": "HS256"}, b"anna", SECRET.encode()),
    "unknown critical header": lambda: by_hand({"alg": "HS256", "crit": ["exp"]}, claims(), SECRET.encode()),
    "detached payload": lambda: by_hand({"alg": "HS256", "b64": False, "crit": ["b64"]}, claims(), SECRET.encode()),
    "number as key id": lambda: by_hand({"alg": "HS256", "kid": 1}, claims(), SECRET.encode()),
}


@pytest.mark.parametrize("forge", FORGED_HS.values(), ids=FORGED_HS.keys())
def test_a_forged_token_is_refused_where_a_secret_is_shared(forge: Forge) -> None:
    with pytest.raises(InvalidToken) as refusal:
        SHARED.verify(forge())
    assert "canary" not in refusal.value.reason


# --- Several verifiers ------------------------------------------------------------------------------------------------


class Fixed:
    """A verifier with one answer."""

    def __init__(self, answer: Caller | InvalidToken | KeysUnavailable) -> None:
        self._answer = answer

    def verify(self, token: str) -> Caller:
        assert token == "token"
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


NO, MAYBE, YES = Fixed(InvalidToken("No.")), Fixed(KeysUnavailable("Down.")), Fixed(Caller("anna"))


@pytest.mark.parametrize("verifiers", [[YES, NO], [NO, YES], [MAYBE, YES], [YES, MAYBE]])
def test_one_verifier_that_accepts_is_enough(verifiers: list[TokenVerifier]) -> None:
    assert AnyOf(verifiers).verify("token") == Caller("anna")


@pytest.mark.parametrize("verifiers", [[NO, MAYBE], [MAYBE, NO]])
def test_a_verifier_that_cannot_tell_leaves_it_open(verifiers: list[TokenVerifier]) -> None:
    with pytest.raises(KeysUnavailable):
        AnyOf(verifiers).verify("token")


def test_a_token_nobody_accepts_is_refused_with_each_reason_once() -> None:
    with pytest.raises(InvalidToken) as refusal:
        AnyOf([NO, NO, Fixed(InvalidToken("Never."))]).verify("token")
    assert refusal.value.reason == "No. Never."


# --- Tokens of our own ------------------------------------------------------------------------------------------------


def test_a_service_token_is_for_one_user_to_read_for_two_minutes() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    token = ServiceTokens(SECRET, "memberships-export", "memberships-api", clock=lambda: now)("anna")
    content = jwt.decode(token, SECRET, algorithms=["HS256"], audience="memberships-api", issuer="memberships-export")
    assert len(content.pop("jti")) == 32
    assert content == {
        "sub": "anna",
        "aud": "memberships-api",
        "iss": "memberships-export",
        "scope": "memberships:read",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 120,
    }


def test_no_two_service_tokens_have_the_same_id() -> None:
    make = ServiceTokens(SECRET, "memberships-export", "memberships-api")
    ids = {jwt.decode(make("anna"), options={"verify_signature": False})["jti"] for _ in range(50)}
    assert len(ids) == 50


def test_a_service_token_is_no_token_of_a_user() -> None:
    with pytest.raises(InvalidToken):
        SHARED.verify(ServiceTokens(SECRET, "https://id.example.org", "memberships-api")("anna"))


def test_the_secret_does_not_show_in_the_representation() -> None:
    assert SECRET not in repr(ServiceTokens(SECRET, "memberships-export", "memberships-api"))


@pytest.mark.parametrize("issuer", ["https://id.example.org", None])
def test_a_minted_token_passes_as_a_user(issuer: str | None) -> None:
    token = mint_user_token(
        secret=SECRET,
        issuer=issuer,
        audience="memberships",
        user_id="anna",
        email="anna@example.org",
        lifetime=timedelta(hours=1),
    )
    verifier = SharedSecretVerifier(SECRET, "memberships", issuer)
    assert verifier.verify(token) == Caller("anna", "anna@example.org", email_verified=True, scope="")


@pytest.mark.parametrize("secret", ["", "a" * 31, "é" * 15])
def test_a_short_secret_is_refused_with_the_way_to_a_good_one(secret: str) -> None:
    good = ServiceTokens(SECRET, "memberships-export", "memberships-api")
    uses: list[Callable[[], object]] = [
        lambda: SharedSecretVerifier(secret, "memberships"),
        lambda: replace(good, secret=secret),
        lambda: mint_user_token(
            secret=secret, issuer=None, audience="x", user_id="anna", email="a@example.org", lifetime=timedelta(hours=1)
        ),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=rf"has {len(secret.encode())} bytes.*at least 32.*secrets.token_urlsafe"):
            use()
