"""Event batches of the fake SendGrid, signed with a key pair of its own."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rig.services.sendgrid_mail import ReceivedMail
from rig.waiting import PATIENCE_SECONDS

_EXTRA: dict[str, dict[str, str]] = {
    "deferred": {"response": "400 try again later", "attempt": "5"},
    "delivered": {"response": "250 OK"},
    "bounce": {"reason": "550 no such user member@example.org", "status": "5.1.1", "type": "bounce"},
    "dropped": {"reason": "Bounced Address", "status": "5.0.0"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBatch:
    """A request to the webhook."""

    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        return self.headers["X-Twilio-Email-Event-Webhook-Signature"]

    @property
    def timestamp(self) -> str:
        return self.headers["X-Twilio-Email-Event-Webhook-Timestamp"]

    def post(self, url: str) -> int:
        """Send it, and return the status; HTTPError for 4xx and 5xx, as urllib has it."""
        request = Request(url, self.body, {"Content-Type": "application/json", **self.headers})  # noqa: S310
        with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)


@dataclass(frozen=True, slots=True)
class EventSigner:
    """A P-256 key pair."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_key(self) -> str:
        """The public key as SendGrid's settings page shows it."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sign(self, events: object, timestamp: str = "1750000000") -> SignedBatch:
        """Write a batch the way SendGrid does: compact JSON and a CRLF, which is signed, too."""
        body = json.dumps(events, separators=(",", ":")).encode() + b"\r\n"
        signature = base64.b64encode(self.key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))).decode()
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
        return SignedBatch(headers=headers, body=body)

    def events_for(self, mail: ReceivedMail, kinds: Sequence[str]) -> SignedBatch:
        """Sign one event of each kind about this mail."""
        return self.sign([_event(mail, kind) for kind in kinds])


def _event(mail: ReceivedMail, kind: str) -> dict[str, Any]:
    return {
        "email": mail.to,
        "timestamp": 1_750_000_000,
        "smtp-id": f"<{mail.message_id}@geopod-ismtpd-1>",
        "event": kind,
        "sg_event_id": f"{kind}-{mail.message_id}",
        "sg_message_id": f"{mail.message_id}.filterdrecv-1-2-3.0",
        "export_id": mail.export_id,
        "send_intent": mail.intent,
        **_EXTRA.get(kind, {}),
    }
