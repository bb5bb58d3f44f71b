import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier, TokenRules
from memberships_export.adapters.identity.plain_tokens import plain_claims
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


def signed(**changes: object) -> Caller:
    """Verify a token that was signed as it should be, whatever it says; None stays as null."""
    payload = claims() | changes
    return SHARED.verify(by_hand({"alg": "HS256", "typ": "JWT"}, payload, SECRET.encode()))


EXPECTED = ExpectedClaims(audiences=frozenset({"memberships"}), issuer="https://id.example.org")
OF_ANY_ISSUER = replace(EXPECTED, issuer=None)
OF_WORKERS = ExpectedClaims(audiences=frozenset({"memberships-api"}), issuer="memberships-export")
SHARED = SharedSecretVerifier(SECRET, EXPECTED)


# --- Good tokens ------------------------------------------------------------------------------------------------------


def test_a_good_token_names_its_caller() -> None:
    token = hs(claims(email="anna@example.org", email_verified=True, scope="a b"))
    assert SHARED.verify(token) == Caller("anna", "anna@example.org", email_verified=True, scope="a b")


def test_a_token_without_email_and_scope_is_good() -> None:
    assert SHARED.verify(hs(claims())) == Caller("anna", None, None, "")


@pytest.mark.parametrize(
    "claim,verified",
    [
        *((claim, True) for claim in (True, "true", "True", "TRUE")),
        *((claim, False) for claim in (False, "false", "FALSE", "yes", "", 0, 1, [], [True], {"true": True})),
    ],
)
def test_email_verified_is_true_only_when_the_token_says_so(claim: object, verified: bool) -> None:  # noqa: FBT001
    assert SHARED.verify(hs(claims(email_verified=claim))).email_verified is verified


def test_one_of_the_audiences_of_a_token_is_enough() -> None:
    assert SHARED.verify(hs(claims(aud=["shop", "memberships"]))).user_id == "anna"


@pytest.mark.parametrize(
    "sub,user_id", [("7", "7"), (7, "7"), (0, "0"), (-7, "-7"), (2**63, str(2**63)), (10**254, str(10**254))]
)
def test_a_user_id_may_be_a_whole_number(sub: object, user_id: str) -> None:
    assert signed(sub=sub).user_id == user_id


@pytest.mark.parametrize(
    "scope,words",
    [("a b", "a b"), (["a", "b"], "a b"), (["a", 1, None, ["b"]], "a"), ([], ""), (1, ""), ({"a": 1}, ""), (True, "")],
)
def test_a_scope_of_any_form_refuses_nobody(scope: object, words: str) -> None:
    assert signed(scope=scope).scope == words


UNNEEDED: dict[str, Claims] = {
    "null everywhere": dict.fromkeys(
        ("scope", "email", "email_verified", "iat", "nbf", "jti", "client_id", "azp", "name")
    ),
    "number as token id": {"jti": 7},
    "list as token id": {"jti": ["x"]},
    "client id beside the audience": {"client_id": "shop"},
    "nested claims": {"realm_access": {"roles": [["admin"]]}, "address": {"email": 1}},
    "fractions of seconds": {"exp": soon(300) + 0.5, "iat": soon(0) + 0.25, "nbf": soon(-5) + 0.75},
    "other people among the audiences": {"aud": [1, None, "memberships", {"a": 1}]},
}


@pytest.mark.parametrize("changes", UNNEEDED.values(), ids=UNNEEDED.keys())
def test_what_the_export_does_not_need_refuses_nobody(changes: Claims) -> None:
    assert signed(**changes).user_id == "anna"


def test_without_an_audience_the_client_id_says_whom_the_token_is_for() -> None:
    assert signed(aud=None, client_id="memberships", token_use="access").user_id == "anna"


def test_the_claims_of_user_id_and_address_can_be_named() -> None:
    named = SharedSecretVerifier(SECRET, replace(EXPECTED, user_id="member_no", email="upn"))
    token = hs(claims(sub=None, member_no=4711, upn="anna@example.org"))
    assert named.verify(token) == Caller("4711", "anna@example.org")
    with pytest.raises(InvalidToken, match="member_no is not a user id"):
        named.verify(hs(claims()))


def test_a_token_tells_language_and_zone_of_its_user() -> None:
    caller = signed(locale="de-CH", zoneinfo="Europe/Zurich")
    assert (caller.locale, caller.time_zone) == ("de-CH", "Europe/Zurich")
    assert (signed().locale, signed().time_zone) == (None, None)


@pytest.mark.parametrize("said", [None, 7, True, "", [], ["de"], {"language": "de"}, "d" * 101, {}])
def test_a_language_or_zone_that_is_no_name_refuses_nobody(said: object) -> None:
    caller = signed(locale=said, zoneinfo=said)
    assert (caller.user_id, caller.locale, caller.time_zone) == ("anna", None, None)


NESTED = {"user": {"id": 4711, "mail": {"address": "anna@example.org", "checked": "true"}}}
NAMESPACED = {"https://example.org/user": {"id": 4711}, "https://example.org/email": "anna@example.org"}


@pytest.mark.parametrize(
    "names, payload, caller",
    [
        (
            ("user.id", "user.mail.address", "user.mail.checked"),
            NESTED,
            Caller("4711", "anna@example.org", email_verified=True),
        ),
        (
            ("https://example.org/user.id", "https://example.org/email", "nowhere"),
            NAMESPACED,
            Caller("4711", "anna@example.org"),
        ),
        (("user.id", "a.b", "a.c"), NESTED | {"user.id": "exact"}, Caller("exact")),
        (("sub", "user.mail", "c"), {"user": {"mail": None}}, Caller("anna")),
        (("sub", "sub.email", "sub."), {}, Caller("anna")),
        (("sub", ".", "..."), {"": {"": None}}, Caller("anna")),
        (
            ("a.b.id", "a.b.c.d", "c"),
            {"a.b": {"id": "longest", "c": {"d": "x"}}, "a": {"b": 1}},
            Caller("longest", "x"),
        ),
    ],
)
def test_claims_within_others_are_named_by_dots_and_an_exact_name_wins(
    names: tuple[str, str, str], payload: Claims, caller: Caller
) -> None:
    user_id, email, email_verified = names
    expected = replace(EXPECTED, user_id=user_id, email=email, email_verified=email_verified)
    assert SharedSecretVerifier(SECRET, expected).verify(hs(claims(**payload))) == caller


@pytest.mark.parametrize("user", [None, "anna", ["anna"], {"id": None}, {"id": {"id": 1}}, {"ID": 1}])
def test_a_claim_that_is_not_where_it_is_named_refuses_the_token(user: object) -> None:
    nested = SharedSecretVerifier(SECRET, replace(EXPECTED, user_id="user.id"))
    with pytest.raises(InvalidToken, match=r"user\.id is not a user id"):
        nested.verify(hs(claims(user=user)))


def test_an_exact_name_that_says_nothing_is_not_replaced_by_another() -> None:
    nested = SharedSecretVerifier(SECRET, replace(EXPECTED, user_id="user.id"))
    payload = claims(user={"id": "ben"}) | {"user.id": None}
    with pytest.raises(InvalidToken):
        nested.verify(by_hand({"alg": "HS256"}, payload, SECRET.encode()))


def test_a_token_made_here_passes_whatever_the_claims_are_named() -> None:
    token = mint_user_token(
        secret=SECRET,
        issuer=None,
        audience="memberships",
        user_id="anna",
        email="anna@example.org",
        lifetime=timedelta(hours=1),
        user_claim="user.id",
        email_claim="https://example.org/email",
        email_verified_claim="user.email.verified",
    )
    expected = replace(
        OF_ANY_ISSUER, user_id="user.id", email="https://example.org/email", email_verified="user.email.verified"
    )
    assert SharedSecretVerifier(SECRET, expected).verify(token) == Caller(
        "anna", "anna@example.org", email_verified=True
    )


def test_one_of_the_accepted_audiences_is_enough() -> None:
    several = SharedSecretVerifier(SECRET, replace(EXPECTED, audiences=frozenset({"memberships", "app"})))
    for audience in ("memberships", "app", ["x", "app"]):
        assert several.verify(hs(claims(aud=audience))).user_id == "anna"
    with pytest.raises(InvalidToken):
        several.verify(hs(claims(aud="memberships,app")))


@pytest.mark.parametrize(
    "kind", ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", "Application/AT+JWT"]
)
def test_tokens_of_our_types_are_good(kind: str) -> None:
    assert SHARED.verify(hs(claims(), typ=kind)).user_id == "anna"


def test_a_token_need_not_name_its_type() -> None:
    assert SHARED.verify(by_hand({"alg": "HS256"}, claims(), SECRET.encode())).user_id == "anna"


@pytest.mark.parametrize(
    "kind",
    [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/logout+jwt",
        "token-introspection+jwt",
        "JOSE",
        "jwt ",
        "application/application/jwt",
        "text/jwt",
        "",
        None,
        7,
        ["JWT"],
        {"JWT": 1},
    ],
)
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    with pytest.raises(InvalidToken, match="another type"):
        SHARED.verify(by_hand({"alg": "HS256", "typ": kind}, claims(), SECRET.encode()))


def test_clocks_may_differ_by_less_than_thirty_seconds() -> None:
    assert SHARED.verify(hs(claims(exp=soon(-20)))).user_id == "anna"
    assert SHARED.verify(hs(claims(nbf=soon(20), iat=soon(20)))).user_id == "anna"


def test_any_issuer_will_do_when_none_is_set() -> None:
    assert SharedSecretVerifier(SECRET, OF_ANY_ISSUER).verify(hs(claims(iss="anybody"))).user_id == "anna"


# --- Forged tokens ----------------------------------------------------------------------------------------------------

WRONG_CLAIMS: dict[str, Claims] = {
    "expired": {"exp": soon(-31)},
    "expired long ago": {"exp": 1},
    "not yet valid": {"nbf": soon(600)},
    "issued in the future": {"iat": soon(600)},
    "expiry is text": {"exp": "tomorrow"},
    "expiry is a list": {"exp": [1]},
    "no expiry": {"exp": None},
    "expiry is true": {"exp": True},
    "expiry is digits": {"exp": str(soon(300))},
    "expiry is infinite": {"exp": float("inf")},
    "expiry is not a number": {"exp": float("nan")},
    "expiry in milliseconds": {"exp": soon(300) * 1000},
    "expiry beyond all calendars": {"exp": 10**18},
    "expiry beyond all numbers": {"exp": 10**400},
    "expiry before 1970": {"exp": -1},
    "issued before 1970": {"iat": -1},
    "issued at infinity": {"iat": float("inf")},
    "issued at no number": {"iat": float("nan")},
    "issued on a text": {"iat": "now"},
    "not before infinity": {"nbf": float("inf")},
    "not before no number": {"nbf": float("nan")},
    "not before an object": {"nbf": {}},
    "client id of somebody else": {"aud": None, "client_id": "shop"},
    "client ids in an object": {"aud": None, "client_id": {"memberships": 1}},
    "client id, and the audience of somebody else": {"aud": "shop", "client_id": "memberships"},
    "client id, and an empty list of audiences": {"aud": [], "client_id": "memberships"},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "truth as subject": {"sub": True},
    "fraction as subject": {"sub": 7.0},
    "long number as subject": {"sub": 10**255},
    "object as subject": {"sub": {"id": "anna"}},
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
    "number as email": {"email": 7},
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
    "header is deeper than Python": lambda: by_hand(b"[" * 4000, claims(), SECRET.encode()),
    "payload is deep": lambda: by_hand({"alg": "HS256"}, b'{"sub":' * 700, SECRET.encode()),
    "payload is deeper than Python": lambda: by_hand({"alg": "HS256"}, b"[" * 4000, SECRET.encode()),
    "claim is deeper than Python": lambda: by_hand(
        {"alg": "HS256"}, b'{"x":' + b"[" * 2500 + b"]" * 2500 + b"}", SECRET.encode()
    ),
    "number of too many digits": lambda: by_hand({"alg": "HS256"}, b'{"sub":' + b"9" * 5000 + b"}", SECRET.encode()),
    "expiry of too many digits": lambda: by_hand({"alg": "HS256"}, b'{"exp":' + b"9" * 5000 + b"}", SECRET.encode()),
    "header with a number of too many digits": lambda: by_hand(
        b'{"alg":"HS256","x":' + b"9" * 5000 + b"}", claims(), SECRET.encode()
    ),
    "NaN as header": lambda: by_hand(b"NaN", claims(), SECRET.encode()),
    "payload is null": lambda: by_hand({"alg": "HS256"}, None, SECRET.encode()),
    "payload is empty": lambda: by_hand({"alg": "HS256"}, b"", SECRET.encode()),
    "payload is no UTF-8": lambda: by_hand({"alg": "HS256"}, b'{"sub":"\xff"}', SECRET.encode()),
    "a token in a token": lambda: by_hand({"alg": "HS256", "cty": "JWT"}, hs(claims()).encode(), SECRET.encode()),
    "empty list of critical headers": lambda: by_hand({"alg": "HS256", "crit": []}, claims(), SECRET.encode()),
    "critical headers are null": lambda: by_hand({"alg": "HS256", "crit": None}, claims(), SECRET.encode()),
    "critical headers are an object": lambda: by_hand({"alg": "HS256", "crit": {"b64": 1}}, claims(), SECRET.encode()),
    "detached payload that is not said to be critical": lambda: by_hand(
        {"alg": "HS256", "b64": False}, claims(), SECRET.encode()
    ),
    "detached payload, as it should be": lambda: jwt.api_jws.encode(
        json.dumps(claims()).encode(),
        SECRET,
        "HS256",
        headers={"b64": False, "crit": ["b64"]},
        is_payload_detached=True,
    ),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.sampled_from(
    ["sub", "aud", "iss", "exp", "nbf", "iat", "jti", "email", "email_verified", "scope", "client_id"]
)
HEADERS = st.sampled_from(["typ", "cty", "kid", "crit", "b64", "jwk", "x5c"])


@given(st.dictionaries(HEADERS, JSON, max_size=3), st.dictionaries(CLAIMS, JSON, max_size=4))
def test_whatever_a_signed_token_says_it_is_good_or_refused(header: Claims, changes: Claims) -> None:
    token = by_hand({"alg": "HS256"} | header, claims() | changes, SECRET.encode())
    try:
        caller = SHARED.verify(token)
    except InvalidToken:
        return
    assert 0 < len(caller.user_id) <= 255
    assert isinstance(caller.email, str | None)
    assert isinstance(caller.scope, str)
    assert isinstance(caller.email_verified, bool | None)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_bytes_make_a_token_it_is_refused(header: bytes, payload: bytes) -> None:
    with pytest.raises(InvalidToken):
        SHARED.verify(by_hand(header, payload, SECRET.encode()))


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


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_a_users_token_is_none_of_the_service_even_with_its_secret(secret: str) -> None:
    service = SharedSecretVerifier(SECRET, OF_WORKERS)
    assert service.verify(ServiceTokens(SECRET, "memberships-export", "memberships-api")("anna")).user_id == "anna"
    for changes in (
        {},
        {"aud": "memberships-api"},
        {"iss": "memberships-export"},
        {"aud": None, "client_id": "memberships-api"},
        {"iss": None, "aud": "memberships-api"},
    ):
        with pytest.raises(InvalidToken):
            service.verify(hs(claims(**changes), secret))


def test_a_service_token_is_no_token_of_a_user_whatever_issuer_users_may_have() -> None:
    token = ServiceTokens(SECRET, "memberships-export", "memberships-api")("anna")
    with pytest.raises(InvalidToken):
        SharedSecretVerifier(SECRET, OF_ANY_ISSUER).verify(token)


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
    verifier = SharedSecretVerifier(SECRET, replace(EXPECTED, issuer=issuer))
    assert verifier.verify(token) == Caller("anna", "anna@example.org", email_verified=True, scope="")


@pytest.mark.parametrize("secret", ["", "a" * 31, "é" * 15])
def test_a_short_secret_is_refused_with_the_way_to_a_good_one(secret: str) -> None:
    good = ServiceTokens(SECRET, "memberships-export", "memberships-api")
    uses: list[Callable[[], object]] = [
        lambda: SharedSecretVerifier(secret, EXPECTED),
        lambda: replace(good, secret=secret),
        lambda: mint_user_token(
            secret=secret, issuer=None, audience="x", user_id="anna", email="a@example.org", lifetime=timedelta(hours=1)
        ),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=rf"has {len(secret.encode())} bytes.*at least 32.*secrets.token_urlsafe"):
            use()


# --- Plain tokens are known without PyJWT: what is read of them, it would read --------------------------------------

SEGMENTS = st.one_of(
    st.just({"alg": "HS256", "typ": "JWT"}),
    st.fixed_dictionaries({"alg": st.sampled_from(["HS256", "HS384", "none"])}, optional={"typ": st.text(max_size=5)}),
    st.fixed_dictionaries({"alg": st.just("HS256")}, optional={"crit": st.just(["b64"]), "b64": st.booleans()}),
)


@given(SEGMENTS, st.one_of(st.dictionaries(st.text(max_size=5), st.integers()), st.text(max_size=9), st.integers()))
def test_the_claims_of_a_plain_token_are_those_that_pyjwt_reads(header: Claims, payload: object) -> None:
    token = by_hand(header, payload, SECRET.encode())
    found = plain_claims(token, SECRET.encode(), 8192)
    if found is not None:
        assert found == SHARED_RULES.claims(token, SECRET)
        assert SHARED_RULES.header(token) == header


def test_a_token_made_here_is_plain() -> None:
    payload = claims()
    assert plain_claims(hs(payload), SECRET.encode(), 8192) == payload


@given(st.integers(min_value=0), st.characters(codec="utf-8"))
def test_a_token_with_any_other_character_is_not_plain(place: int, character: str) -> None:
    token = hs(claims())
    place %= len(token)
    other = token[:place] + character + token[place + 1 :]
    assert (plain_claims(other, SECRET.encode(), 8192) is None) == (other != token)


@pytest.mark.parametrize("payload", ["eyJzdWIiOiJhIn0=", "eyJzdWIiOiJhIn0!", "bnVsbA", "W10", "e30", ""])
def test_a_payload_that_is_not_spelled_as_it_should_be_is_left_to_pyjwt(payload: str) -> None:
    signed = f"{part({'alg': 'HS256'})}.{payload}"
    token = f"{signed}.{base64url(hmac.digest(SECRET.encode(), signed.encode(), 'sha256'))}"
    assert plain_claims(token, SECRET.encode(), 8192) == ({} if payload == "e30" else None)


@pytest.mark.parametrize("token", ["", ".", "..", "...", "é.é.é", "a" * 9000])
def test_what_is_no_token_is_not_plain(token: str) -> None:
    assert plain_claims(token, SECRET.encode(), 8192) is None


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


SHARED_RULES = TokenRules(("HS256",), EXPECTED)
