"""What an Application Load Balancer writes into its signed header, in the form that AWS documents."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.forged_tokens import EC_KEY, soon

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/club/0123456789abcdef"
KID = "c2f80c8b-c05c-4068-af14-17299f7896b1"
ANNA: dict[str, Any] = {"sub": "anna", "email": "anna@example.org", "email_verified": "true"}  # as Cognito writes it


def ec_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def part(content: object, *, padded: bool = True) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    text = base64.urlsafe_b64encode(raw).decode()
    return text if padded else text.rstrip("=")


def header(**changes: object) -> dict[str, Any]:
    """The header of a good token, changed; None takes a field away."""
    good = {"typ": "JWT", "kid": KID, "alg": "ES256", "iss": "https://id.example.org", "client": "the client id"}
    all_of_it = good | {"signer": ARN, "exp": soon(120)} | changes
    return {name: value for name, value in all_of_it.items() if value is not None}


def token(
    claims: object = ANNA, key: ec.EllipticCurvePrivateKey = EC_KEY, *, padded: bool = True, **changes: object
) -> str:
    """Sign as the balancer does: over the parts with their padding."""
    signed = f"{part(header(**changes), padded=padded)}.{part(claims, padded=padded)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'), padded=padded)}"
