"""A JWK Set (RFC 7517) as an identity provider publishes it: which of its keys can be used, and why others cannot."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS = ("RS256", "ES256")
_MOST_KEYS = 100
_LONGEST_NAME = 60
_RSA_BITS = range(2048, 16_384 + 1)  # RFC 7518 3.3; OpenSSL does not verify with longer ones
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # RFC 7518 6.2.2, 6.3.2, 6.4.1

KeyName = tuple[str, str]
"""Algorithm and key id: two keys of different algorithms may share an id (RFC 7517 4.5)."""


class NotAKeySet(ValueError):
    """The body is no JWK Set; the text says what is wrong, without quoting it."""


class _Unusable(ValueError):
    """One key cannot be used, and the text says why."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that can be used, and one line about each other."""

    keys: Mapping[KeyName, jwt.PyJWK]
    skipped: tuple[str, ...] = ()


def read_key_set(body: bytes) -> KeySet:
    """Read a key set, skipping what cannot be used. Raises NotAKeySet."""
    entries = _entries(body)
    keys: dict[KeyName, jwt.PyJWK] = {}
    skipped = []
    for number, entry in enumerate(entries[:_MOST_KEYS], 1):
        try:
            _add(keys, entry)
        except _Unusable as reason:
            skipped.append(f"Key {number}{_named(entry)} {reason}.")
    if len(entries) > _MOST_KEYS:
        skipped.append(f"There are {len(entries)} keys, and only the first {_MOST_KEYS} are looked at.")
    return KeySet(keys, tuple(skipped))


def _entries(body: bytes) -> list[object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAKeySet("is not JSON" if isinstance(error, ValueError) else "is nested too deeply") from error
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise NotAKeySet("is JSON, but no object with a list of keys")
    return entries


def _add(keys: dict[KeyName, jwt.PyJWK], entry: object) -> None:
    if not isinstance(entry, dict):
        raise _Unusable("is not a JSON object")
    key_id = entry.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise _Unusable("has no key id (kid)")
    for problem in _problems(entry):
        raise _Unusable(problem)
    name = (_algorithm(entry), key_id)
    if name in keys:
        raise _Unusable("has the key id (kid) of a key before it")
    keys[name] = _loaded(entry, name[0])


def _problems(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("kty") == "oct":
        yield "is a shared secret (kty oct), which no published set may hold"
    if _PRIVATE & entry.keys():
        yield "holds a private key: whoever reads the set could sign tokens. Have the provider replace it"
    if entry.get("use", "sig") != "sig" or not _may_verify(entry.get("key_ops")):
        yield "is not for checking signatures (use, key_ops)"


def _may_verify(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _algorithm(entry: Mapping[str, Any]) -> str:
    match entry.get("kty"), entry.get("crv"):
        case "RSA", _:
            algorithm = "RS256"
        case "EC", "P-256":
            algorithm = "ES256"
        case _:
            raise _Unusable("is neither an RSA key nor an EC key on P-256")
    if entry.get("alg") not in (None, algorithm):
        raise _Unusable(f"is for an algorithm (alg) that is not accepted: {' or '.join(ALGORITHMS)} is")
    return algorithm


def _loaded(entry: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        key = jwt.PyJWK(entry, algorithm)
    except Exception as error:  # whatever one strange key does to the parser, the others are good
        raise _Unusable(f"cannot be read ({type(error).__name__})") from error
    if isinstance(key.key, RSAPublicKey) and key.key.key_size not in _RSA_BITS:
        raise _Unusable(f"has {key.key.key_size} bits, and {_RSA_BITS[0]} to {_RSA_BITS[-1]} are accepted")
    return key


def _named(entry: object) -> str:
    """Name a key for the log, on one line whatever the provider wrote."""
    key_id = entry.get("kid") if isinstance(entry, dict) else None
    return f" ({key_id[:_LONGEST_NAME]!a})" if isinstance(key_id, str) else ""
