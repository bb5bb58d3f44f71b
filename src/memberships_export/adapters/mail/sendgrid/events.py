"""SendGrid's event webhook: signed batches of what became of the mails."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from memberships_export.adapters.mail.record_text import fit_for_record
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence
from memberships_export.domain.mail.intent import parse_send_intent
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.mail_events.webhook import ForgedEvents, MalformedEvents

# Whatever the event says: SendGrid reports only on mails that it accepted.
_ACCEPTED = ("processed", "deferred", "open", "click", "spamreport", "unsubscribe")
_DELIVERY: Mapping[str, Delivery | None] = {
    **dict.fromkeys((*_ACCEPTED, "group_unsubscribe", "group_resubscribe")),
    "delivered": Delivery.DELIVERED,
    **dict.fromkeys(("bounce", "dropped", "blocked"), Delivery.BOUNCED),
}
_LONGEST_INTENT = 1_000


class SignatureCheck:
    """Checks ECDSA signatures (P-256, SHA-256) with SendGrid's public key."""

    def __init__(self, public_key_base64: str) -> None:
        """Take the key as SendGrid's settings page shows it. ValueError when it is not one."""
        try:
            key = load_der_public_key(b64decode(public_key_base64.strip(), validate=True))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _bad_key() from error
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise _bad_key()
        self._key = key

    def verify(self, timestamp: bytes, body: bytes, signature_b64: str) -> bool:
        """Tell whether SendGrid signed this timestamp with exactly this body."""
        try:
            self._key.verify(b64decode(signature_b64, validate=True), timestamp + body, ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


class SendGridWebhook:
    """A MailWebhook. There is no limit on a batch's age: SendGrid repeats for a day, and repeats change nothing."""

    def __init__(self, public_key_base64: str) -> None:
        """Take the key as SendGrid's settings page shows it. ValueError when it is not one."""
        self._check = SignatureCheck(public_key_base64)

    def read(self, signature: str, timestamp: str, body: bytes) -> Sequence[MailEvent]:
        """Check the signature over the raw body, then read the events. Raises ForgedEvents, MalformedEvents."""
        if not self._check.verify(timestamp.encode("utf-8", "replace"), body, signature):
            raise ForgedEvents
        try:
            return parse_events(body)
        except ValueError as error:
            raise MalformedEvents(str(error)) from error


def parse_events(body: bytes) -> list[MailEvent]:
    """Read a batch. What is not about a mail is passed over; ValueError when it is not a JSON array."""
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("The body of the event webhook is not JSON; expected an array of events.") from error
    if not isinstance(batch, list):
        problem = f"The event webhook sent a JSON {type(batch).__name__}; expected an array of events."
        raise ValueError(problem)  # noqa: TRY004  (it is about the content, not about the argument)
    return [event for entry in batch if isinstance(entry, dict) and (event := _event(entry))]


def _event(entry: Mapping[str, Any]) -> MailEvent | None:
    kind = entry.get("event")
    if not isinstance(kind, str) or kind not in _DELIVERY:
        return None
    export_id, number = _send_of(entry) or (None, 0)
    delivery = _DELIVERY[kind]
    fact = SendFact(
        number=number,
        evidence=Evidence.ACCEPTED,
        message_id=_message_id(entry),
        delivery=delivery,
        detail=_reason(kind, entry) if delivery is Delivery.BOUNCED else None,
    )
    return MailEvent(export_id=export_id, fact=fact)


def _send_of(entry: Mapping[str, Any]) -> tuple[str, int] | None:
    """Read export id and number from the arguments that we gave the mail; None without them or when they do not fit."""
    export_id, intent = entry.get("export_id"), entry.get("send_intent")
    if not isinstance(intent, str) or len(intent) > _LONGEST_INTENT:
        return None
    parsed = parse_send_intent(intent)
    return parsed if parsed and parsed[0] == export_id else None


def _message_id(entry: Mapping[str, Any]) -> str | None:
    """Read the part of sg_message_id that the answer to the send gave as X-Message-Id."""
    name = entry.get("sg_message_id")
    return fit_for_record(name.partition(".")[0]) or None if isinstance(name, str) else None


def _reason(kind: str, entry: Mapping[str, Any]) -> str:
    reason = entry.get("reason")
    return fit_for_record(f"{kind}: {reason}" if isinstance(reason, str) else kind)


def _bad_key() -> ValueError:
    return ValueError(
        "MEMBERSHIPS_EXPORT_SENDGRID_WEBHOOK_KEY is not a P-256 public key. Expected: the verification key of "
        "SendGrid's signed event webhook, base64 in one line, beginning with MFkw, without the PEM frame."
    )
