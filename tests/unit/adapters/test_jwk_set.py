import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from memberships_export.adapters.identity.jwk_set import NotAKeySet, read_key_set
from tests.fakes.forged_tokens import EC_KEY, RSA_KEY, SECRET, part, public_jwk

GOOD = public_jwk(RSA_KEY, "good")
BARE = {name: value for name, value in public_jwk(RSA_KEY, "odd").items() if name not in {"use", "key_ops"}}
SHORT = public_jwk(rsa.generate_private_key(65537, 1024), "odd")  # noqa: S505  (that is what it is about)
P384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
PRIVATE = RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)


def nested(depth: int) -> Any:  # noqa: ANN401  (lists of lists)
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


ODD: dict[str, tuple[Any, str]] = {
    "no object": (["RSA"], "not a JSON object"),
    "null": (None, "not a JSON object"),
    "empty": ({}, "no key id"),
    "no key id": ({"kty": "RSA", "n": GOOD["n"], "e": GOOD["e"]}, "no key id"),
    "empty key id": (BARE | {"kid": ""}, "no key id"),
    "number as key id": (BARE | {"kid": 7}, "no key id"),
    "key id again": (BARE | {"kid": "good"}, "a key before it"),
    "private RSA key": (PRIVATE | {"kid": "odd"}, "a private key"),
    "private EC key": (ECAlgorithm.to_jwk(EC_KEY, as_dict=True) | {"kid": "odd"}, "a private key"),
    "shared secret": ({"kty": "oct", "kid": "odd", "k": part(SECRET.encode())}, "shared secret"),
    "shared secret called RS256": ({"kty": "oct", "kid": "odd", "alg": "RS256", "k": "AA"}, "shared secret"),
    "for encryption": (BARE | {"use": "enc"}, "not for checking signatures"),
    "list as use": (BARE | {"use": ["sig"]}, "not for checking signatures"),
    "for signing only": (BARE | {"key_ops": ["sign"]}, "not for checking signatures"),
    "text as key_ops": (BARE | {"key_ops": "verify"}, "not for checking signatures"),
    "alg none": (BARE | {"alg": "none"}, "alg"),
    "alg RS512": (BARE | {"alg": "RS512"}, "alg"),
    "alg HS256": (BARE | {"alg": "HS256"}, "alg"),
    "alg ES256 of an RSA key": (BARE | {"alg": "ES256"}, "alg"),
    "list as alg": (BARE | {"alg": ["RS256"]}, "alg"),
    "object as alg": (BARE | {"alg": {}}, "alg"),
    "number as alg": (BARE | {"alg": 0}, "alg"),
    "list as type": (BARE | {"kty": ["RSA"]}, "neither an RSA key nor an EC key"),
    "unknown type": (BARE | {"kty": "AKP"}, "neither an RSA key nor an EC key"),
    "Ed25519": ({"kty": "OKP", "crv": "Ed25519", "kid": "odd", "x": "AA"}, "neither an RSA key nor an EC key"),
    "P-384": (P384 | {"kid": "odd"}, "neither an RSA key nor an EC key"),
    "P-384 called ES256": (P384 | {"kid": "odd", "alg": "ES256"}, "neither an RSA key nor an EC key"),
    "P-384 called P-256": (P384 | {"kid": "odd", "crv": "P-256"}, "cannot be read"),
    "list as curve": (P384 | {"kid": "odd", "crv": ["P-256"]}, "neither an RSA key nor an EC key"),
    "point off the curve": (
        {"kty": "EC", "crv": "P-256", "kid": "odd", "x": "A" * 43, "y": "A" * 43},
        "cannot be read",
    ),
    "no modulus": ({"kty": "RSA", "kid": "odd", "e": "AQAB"}, "cannot be read"),
    "number as modulus": (BARE | {"n": 5}, "cannot be read"),
    "modulus that is no base64": (BARE | {"n": "é"}, "cannot be read"),
    "exponent of one": (BARE | {"e": "AQ"}, "cannot be read"),
    "nested modulus": (BARE | {"n": nested(50)}, "cannot be read"),
    "short": (SHORT, "has 1024 bits"),
    "longer than OpenSSL verifies with": (BARE | {"n": part(b"\xff" * 100_000)}, "has 800000 bits"),
}


def read(*keys: object) -> tuple[list[str], tuple[str, ...]]:
    found = read_key_set(json.dumps({"keys": keys}).encode())
    return [key_id for _, key_id in found.keys], found.skipped


@pytest.mark.parametrize("key,reason", ODD.values(), ids=ODD.keys())
def test_an_odd_key_is_skipped_with_one_line_and_the_others_are_used(key: object, reason: str) -> None:
    for keys in ((GOOD, key), (key, GOOD)) if reason != "a key before it" else ((GOOD, key),):
        usable, skipped = read(*keys)
        assert usable == ["good"]
        (line,) = skipped
        assert reason in line


def test_keys_of_different_algorithms_may_share_an_id() -> None:
    body = json.dumps({"keys": [public_jwk(RSA_KEY, "same"), public_jwk(EC_KEY, "same")]}).encode()
    assert list(read_key_set(body).keys) == [("RS256", "same"), ("ES256", "same")]


@pytest.mark.parametrize("changes", [{"alg": "RS256"}, {"alg": None}, {"key_ops": ["verify"]}, {"x5t": 1, "ext": True}])
def test_members_that_say_nothing_else_are_fine(changes: dict[str, object]) -> None:
    assert read(BARE | changes) == (["odd"], ())


def test_a_key_holds_the_algorithm_it_is_good_for() -> None:
    (key,) = read_key_set(json.dumps({"keys": [GOOD]}).encode()).keys.values()
    assert isinstance(key, jwt.PyJWK)
    assert key.algorithm_name == "RS256"


def test_a_set_of_very_many_keys_is_read_up_to_a_limit_and_costs_few_lines() -> None:
    usable, skipped = read(GOOD, *[{"kid": f"{number}"} for number in range(20_000)])
    assert usable == ["good"]
    assert len(skipped) == 100
    assert skipped[-1] == "There are 20001 keys, and only the first 100 are looked at."


def test_what_the_provider_wrote_breaks_no_line_of_the_log() -> None:
    _, (line,) = read(BARE | {"kid": "a\r\nb\u2028\ud800" + "c" * 1000, "use": "enc"})
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 200


def test_nothing_of_a_secret_is_in_a_line() -> None:
    _, skipped = read(PRIVATE | {"kid": "odd"}, {"kty": "oct", "kid": "odd", "k": SECRET})
    assert not [line for line in skipped if SECRET in line or str(PRIVATE["d"])[:10] in line]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>canary</html>",
        b"[]",
        b"null",
        b'"keys"',
        b"{}",
        b'{"keys": {}}',
        b'{"keys": "canary"}',
        b"\xff\xfe\x00",
        b"[" * 500_000,
        b'{"keys":' * 50_000,
        b'{"keys": [' + b"9" * 10_000 + b"]}",
    ],
)
def test_what_is_no_key_set_is_told_without_its_text(body: bytes) -> None:
    with pytest.raises(NotAKeySet) as problem:
        read_key_set(body)
    assert "canary" not in str(problem.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
MEMBERS = st.sampled_from(["kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "d", "k", "x5c"])
VALUES = JSON | st.sampled_from(["RSA", "EC", "oct", "OKP", "sig", "RS256", "ES256", "P-256", "AQAB", "odd", GOOD["n"]])


@given(st.dictionaries(MEMBERS, VALUES))
def test_no_key_whatever_it_holds_spoils_the_good_one(changes: dict[str, Any]) -> None:
    usable, skipped = read(GOOD, BARE | changes)
    assert usable[0] == "good"
    assert len(usable) + len(skipped) == 2
