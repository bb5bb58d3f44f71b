"""Tokens good and forged, and a key set on loopback to check them with."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from rig.loopback import LoopbackHandler, LoopbackServer

SECRET = "a secret of at least thirty-two bytes"
OTHER_SECRET = "another secret of thirty-two bytes or more"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
Claims = dict[str, Any]


def claims(**changes: object) -> Claims:
    """Make the claims of a good token, changed; None takes a claim away."""
    now = int(datetime.now(UTC).timestamp())
    good = {"sub": "anna", "aud": "memberships", "iss": "https://id.example.org", "iat": now, "exp": now + 300}
    return {name: value for name, value in (good | changes).items() if value is not None}


def soon(seconds: float) -> int:
    return int(datetime.now(UTC).timestamp() + seconds)


def hs(payload: Mapping[str, Any], secret: str = SECRET, algorithm: str = "HS256", **headers: object) -> str:
    return jwt.encode(dict(payload), secret, algorithm=algorithm, headers=dict(headers))


def rs(payload: Mapping[str, Any], key: rsa.RSAPrivateKey = RSA_KEY, **headers: object) -> str:
    return jwt.encode(dict(payload), key, algorithm="RS256", headers={"kid": "rsa-1"} | headers)


def es(payload: Mapping[str, Any], **headers: object) -> str:
    return jwt.encode(dict(payload), EC_KEY, algorithm="ES256", headers={"kid": "ec-1"} | headers)


def part(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: object, payload: object, key: bytes) -> str:
    """Sign with HMAC what no library would sign."""
    signed = f"{part(header)}.{part(payload)}"
    return f"{signed}.{part(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def with_payload(token: str, payload: Mapping[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{part(payload)}.{signature}"


def public_jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, key_id: str, **more: str) -> Claims:
    public: Claims = (
        RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        if isinstance(key, rsa.RSAPrivateKey)
        else ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    )
    return public | {"kid": key_id, "use": "sig"} | more


def pem(key: rsa.RSAPrivateKey = RSA_KEY) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def der(key: rsa.RSAPrivateKey = RSA_KEY) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class KeySet:
    """What the loopback server answers; tests change it while it runs."""

    def __init__(self) -> None:
        self.keys = [public_jwk(RSA_KEY, "rsa-1"), public_jwk(EC_KEY, "ec-1")]
        self.body: bytes | None = None
        self.status = 200
        self.reads = 0
        self.begun = threading.Semaphore(0)  # one more with each read
        self.gate = threading.Event()  # while it is not set, no read is answered
        self.gate.set()
        self.url = ""


@contextmanager
def served() -> Iterator[KeySet]:
    keys = KeySet()

    class Handler(LoopbackHandler):
        protocol_version = "HTTP/1.0"  # the end of an answer is the end of its connection

        def do_GET(self) -> None:
            keys.reads += 1
            keys.begun.release()
            keys.gate.wait()
            self.send_response(keys.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            with suppress(OSError):  # the reader went before the end
                self.wfile.write(keys.body if keys.body is not None else json.dumps({"keys": keys.keys}).encode())

    with LoopbackServer(Handler) as server:
        keys.url = f"{server.url}/jwks.json"
        try:
            yield keys
        finally:
            keys.gate.set()
