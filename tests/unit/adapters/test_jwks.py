import base64
from collections.abc import Callable, Iterator

import jwt
import pytest

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.jwks import JwksVerifier, KeySetReader
from memberships_export.adapters.identity.jwks_http import KeySetHttp
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.remote_keys import RemoteKeys, Timing
from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.service.user.callers import InvalidToken, KeysUnavailable
from tests.fakes.forged_tokens import (
    EC_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    SECRET,
    Claims,
    KeySet,
    by_hand,
    claims,
    der,
    es,
    hs,
    part,
    pem,
    public_jwk,
    rs,
    served,
    soon,
    with_payload,
)

Forge = Callable[[], str]


EXPECTED = ExpectedClaims(audiences=frozenset({"memberships"}), issuer="https://id.example.org")
OF_WORKERS = ExpectedClaims(audiences=frozenset({"memberships-api"}), issuer="memberships-export")
AS_EVER, AT_ONCE = Timing(), Timing(cooldown=0, pause=0)


def jwks(keys: KeySet, timing: Timing = AS_EVER) -> JwksVerifier:
    remote = RemoteKeys(KeySetReader(KeySetHttp(keys.url)), timing)
    return JwksVerifier(remote, EXPECTED)


@pytest.fixture
def key_set() -> Iterator[KeySet]:
    with served() as keys:
        yield keys


@pytest.mark.parametrize("make", [rs, es])
def test_tokens_of_the_configured_key_set_are_good(key_set: KeySet, make: Callable[[Claims], str]) -> None:
    assert jwks(key_set).verify(make(claims())).user_id == "anna"


FORGED_RS: dict[str, Forge] = {
    "empty": lambda: "",
    "alg none": lambda: jwt.encode(claims(), "", algorithm="none", headers={"kid": "rsa-1"}),
    "HS256 with the public key (PEM) as secret": lambda: by_hand({"alg": "HS256", "kid": "rsa-1"}, claims(), pem()),
    "HS256 with the public key (DER) as secret": lambda: by_hand({"alg": "HS256", "kid": "rsa-1"}, claims(), der()),
    "HMAC called RS256": lambda: by_hand({"alg": "RS256", "kid": "rsa-1"}, claims(), pem()),
    "HS256 with the shared secret": lambda: hs(claims(), kid="rsa-1"),
    "RS512": lambda: jwt.encode(claims(), RSA_KEY, algorithm="RS512", headers={"kid": "rsa-1"}),
    "PS256": lambda: jwt.encode(claims(), RSA_KEY, algorithm="PS256", headers={"kid": "rsa-1"}),
    "wrong key": lambda: rs(claims(), OTHER_RSA_KEY),
    "key id of the EC key": lambda: rs(claims(), kid="ec-1"),
    "no key id": lambda: jwt.encode(claims(), RSA_KEY, algorithm="RS256"),
    "unknown key id": lambda: rs(claims(), kid="canary"),
    "path as key id": lambda: rs(claims(), OTHER_RSA_KEY, kid="../../dev/null"),
    "own key in jwk": lambda: rs(claims(), OTHER_RSA_KEY, jwk=public_jwk(OTHER_RSA_KEY, "rsa-1")),
    "own key in jwk, unknown id": lambda: rs(claims(), OTHER_RSA_KEY, kid="x", jwk=public_jwk(OTHER_RSA_KEY, "x")),
    "own key set in jku": lambda: rs(claims(), OTHER_RSA_KEY, jku="http://127.0.0.1:9/jwks.json"),
    "own certificate in x5u": lambda: rs(claims(), OTHER_RSA_KEY, x5u="http://127.0.0.1:9/cert.pem"),
    "own certificate in x5c": lambda: rs(claims(), OTHER_RSA_KEY, x5c=[base64.b64encode(der(OTHER_RSA_KEY)).decode()]),
    "tampered subject": lambda: with_payload(rs(claims()), claims(sub="ben")),
    "tampered subject, ES256": lambda: with_payload(es(claims()), claims(sub="ben")),
    "ES256 signature of zeros": lambda: ".".join(es(claims()).split(".")[:2]) + "." + part(b"\0" * 64),
    "truncated": lambda: rs(claims())[:-5],
    "expired": lambda: rs(claims(exp=soon(-31))),
    "not yet valid": lambda: rs(claims(nbf=soon(600))),
    "audience of somebody else": lambda: rs(claims(aud="billing")),
    "other issuer": lambda: rs(claims(iss="https://evil.example")),
    "no expiry": lambda: rs(claims(exp=None)),
    "no subject": lambda: rs(claims(sub=None)),
    "no audience": lambda: rs(claims(aud=None)),
}


@pytest.fixture(scope="module")
def strict() -> Iterator[JwksVerifier]:
    with served() as keys:
        yield jwks(keys)


@pytest.mark.parametrize("forge", FORGED_RS.values(), ids=FORGED_RS.keys())
def test_a_forged_token_is_refused_where_keys_are_public(strict: JwksVerifier, forge: Forge) -> None:
    with pytest.raises(InvalidToken) as refusal:
        strict.verify(forge())
    assert "canary" not in refusal.value.reason


# --- The key set ------------------------------------------------------------------------------------------------------


def test_the_key_set_is_read_once_for_many_tokens(key_set: KeySet) -> None:
    verifier = jwks(key_set)
    for _ in range(5):
        verifier.verify(rs(claims()))
    assert key_set.reads == 1


def test_a_token_with_a_forbidden_algorithm_costs_no_read_of_the_key_set(key_set: KeySet) -> None:
    with pytest.raises(InvalidToken):
        jwks(key_set).verify(hs(claims(), kid="rsa-1"))
    assert key_set.reads == 0


def test_a_rotated_key_is_found_after_the_cooldown(key_set: KeySet) -> None:
    verifier = jwks(key_set, AT_ONCE)
    verifier.verify(rs(claims()))
    key_set.keys = [public_jwk(OTHER_RSA_KEY, "rsa-2")]
    assert verifier.verify(rs(claims(), OTHER_RSA_KEY, kid="rsa-2")).user_id == "anna"
    with pytest.raises(InvalidToken, match="not in the configured key set"):
        verifier.verify(rs(claims()))


def test_unknown_key_ids_cannot_make_it_read_the_key_set_again_and_again(key_set: KeySet) -> None:
    verifier = jwks(key_set)
    for number in range(10):
        with pytest.raises(InvalidToken):
            verifier.verify(rs(claims(), kid=f"unknown-{number}"))
    assert key_set.reads == 1


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_nobody_is_let_in_while_the_key_set_answers_with_an_error(key_set: KeySet, status: int) -> None:
    key_set.status = status
    with pytest.raises(KeysUnavailable, match=r"127\.0\.0\.1:\d+/jwks\.json cannot be read"):
        jwks(key_set).verify(rs(claims()))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "?"}]}', b"\xff", b"[" * 100_000]
)
def test_nobody_is_let_in_while_the_key_set_is_none(key_set: KeySet, body: bytes) -> None:
    key_set.body = body
    with pytest.raises(KeysUnavailable):
        jwks(key_set).verify(rs(claims()))


def test_nobody_is_let_in_while_the_key_set_is_down_and_everybody_afterwards(key_set: KeySet) -> None:
    verifier = jwks(key_set, AT_ONCE)
    key_set.status = 503
    with pytest.raises(KeysUnavailable):
        verifier.verify(rs(claims()))
    key_set.status = 200
    assert verifier.verify(rs(claims())).user_id == "anna"


def test_a_symmetric_key_in_the_set_is_not_used(key_set: KeySet) -> None:
    key_set.keys = [{"kty": "oct", "kid": "rsa-1", "alg": "HS256", "k": part(SECRET.encode())}]
    key_set.keys.append(public_jwk(EC_KEY, "ec-1"))
    for token in (hs(claims(), kid="rsa-1"), by_hand({"alg": "RS256", "kid": "rsa-1"}, claims(), SECRET.encode())):
        with pytest.raises(InvalidToken):
            jwks(key_set).verify(token)


def test_a_key_for_encryption_is_not_used(key_set: KeySet) -> None:
    key_set.keys = [public_jwk(RSA_KEY, "rsa-1", use="enc"), public_jwk(EC_KEY, "ec-1")]
    with pytest.raises(InvalidToken):
        jwks(key_set).verify(rs(claims()))


def test_a_key_set_is_read_over_https_only() -> None:
    with pytest.raises(
        ValueError, match=r"MEMBERSHIPS_EXPORT_JWKS_URL: 'http://id\.example\.org/keys' uses plain http"
    ):
        KeySetHttp("http://id.example.org/keys")


def test_users_and_the_service_have_keys_and_audiences_of_their_own(key_set: KeySet) -> None:
    both = AnyOf([SharedSecretVerifier(SECRET, OF_WORKERS), jwks(key_set)])
    assert both.verify(ServiceTokens(SECRET, "memberships-export", "memberships-api")("anna")).user_id == "anna"
    assert both.verify(rs(claims())).user_id == "anna"
    for crossed in (hs(claims()), rs(claims(aud="memberships-api"))):
        with pytest.raises(InvalidToken):
            both.verify(crossed)
