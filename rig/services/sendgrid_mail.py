"""A mail as the fake SendGrid received it."""

import base64
import csv
import io
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """One request, decoded."""

    message_id: str
    accepted: bool
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.body)
        return payload

    @property
    def to(self) -> str:
        return str(self._envelope["to"][0]["email"])

    @property
    def subject(self) -> str:
        return str(self.payload["subject"])

    @property
    def text(self) -> str:
        return str(self.payload["content"][0]["value"])

    @property
    def html(self) -> str:
        return str(self.payload["content"][1]["value"])

    @property
    def export_id(self) -> str:
        return str(self._envelope["custom_args"]["export_id"])

    @property
    def intent(self) -> str:
        return str(self._envelope["custom_args"]["send_intent"])

    @property
    def attachment_name(self) -> str | None:
        files = self.payload.get("attachments")
        return str(files[0]["filename"]) if files else None

    @property
    def attachment(self) -> bytes | None:
        files = self.payload.get("attachments")
        return base64.b64decode(files[0]["content"], validate=True) if files else None

    def as_ledger_entry(self, time: str) -> dict[str, Any]:
        """What a checker needs to count mails, without keeping every file."""
        file = self.attachment
        return {
            "time": time,
            "accepted": self.accepted,
            "messageId": self.message_id,
            "exportId": self.export_id,
            "intent": self.intent,
            "to": self.to,
            "subject": self.subject,
            "sha256": sha256(file).hexdigest() if file is not None else None,
            "rows": _rows(file) if file is not None else None,
            "possibleDuplicate": "second copy" in self.text,
        }

    @property
    def _envelope(self) -> dict[str, Any]:
        envelope: dict[str, Any] = self.payload["personalizations"][0]
        return envelope


def _rows(file: bytes) -> int:
    lines = csv.reader(io.StringIO(file.decode("utf-8-sig", "replace"), newline=""))
    return max(sum(1 for _ in lines) - 1, 0)
