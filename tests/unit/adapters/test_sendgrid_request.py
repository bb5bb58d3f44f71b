"""The request as SendGrid documents it, and the rules that its specification does not express."""

import base64
import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from memberships_export.adapters.mail.sendgrid.request import BODY_LIMIT, Unsendable, request_body
from memberships_export.domain.mail.mail import Attachment, Mail
from tests.contract.mailers import SENDER, TO, a_mail
from tests.unit.mails.mail_reading import failure_mail, linked, ready

Payload = dict[str, Any]
# SendGrid puts custom_args flat into each event, where its own names win.
_RESERVED = {
    "asm_group_id", "attempt", "category", "email", "event", "ip", "pool", "reason", "response", "sg_event_id",
    "sg_message_id", "smtp-id", "status", "timestamp", "tls", "type", "url", "useragent",
}  # fmt: skip
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _payload(mail: Mail) -> Payload:
    payload: Payload = json.loads(request_body(mail, SENDER))
    return payload


@pytest.fixture
def validator(shared_data: Path) -> Draft202012Validator:
    """The schema of the request, closed: a field that it does not know is an error."""
    document = json.loads((shared_data / "sendgrid_tsg_mail_v3.json").read_text(encoding="utf-8"))
    schema = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    closed = _closed(_resolved(deepcopy(schema), document))
    # The specification types the top-level custom_args as a string; ours are inside the personalization.
    return Draft202012Validator(closed, format_checker=FormatChecker())


def _resolved(node: Any, document: Payload) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(node, list):
        return [_resolved(entry, document) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target, document)
    return {key: _resolved(value, document) for key, value in node.items()}


def _closed(node: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(node, list):
        return [_closed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and "type" in node:
        closed.setdefault("additionalProperties", False)
    return closed


def _problems(payload: Payload, size: int) -> list[str]:
    """Check what the specification leaves out."""
    [envelope] = payload["personalizations"]
    args, texts = envelope["custom_args"], [part["type"] for part in payload["content"]]
    files = payload.get("attachments", [])
    names = [payload["from"]["name"], *(file["filename"] for file in files)]
    checks = {
        "one recipient": len(envelope["to"]) == 1 and set(envelope) == {"to", "custom_args"},
        "subject in one line": not set(payload["subject"]) & set("\r\n\x00"),
        "plain before html": texts == ["text/plain", "text/html"],
        "base64": all(base64.b64decode(file["content"], validate=True) for file in files),
        "names in one line": not any(set(name) & set("\r\n\x00") for name in names),
        "from in ASCII": all(value.isascii() for value in payload["from"].values()),
        "custom_args are strings": all(isinstance(value, str) for value in args.values()),
        "custom_args are ours": set(args) == {"export_id", "send_intent"} and not set(args) & _RESERVED,
        "custom_args are small": len(json.dumps(args)) < 10_000,
        "no schedule": not {"send_at", "batch_id", "custom_args"} & set(payload),
        "size": size < BODY_LIMIT,
        "no control characters": not _CONTROL.search(json.dumps(payload, ensure_ascii=False)),
    }
    return [name for name, passed in checks.items() if not passed]


def _errors(validator: Draft202012Validator, mail: Mail) -> list[str]:
    body = request_body(mail, SENDER)
    assert body.isascii()
    payload = json.loads(body)
    return [error.message for error in validator.iter_errors(payload)] + _problems(payload, len(body))


@pytest.mark.parametrize("mail", [ready(), linked(), failure_mail()], ids=["attached", "linked", "failed"])
def test_every_mail_of_this_service_follows_the_specification(mail: Mail, validator: Draft202012Validator) -> None:
    assert _errors(validator, mail) == []


def test_a_file_of_the_largest_size_stays_below_the_limit(validator: Draft202012Validator) -> None:
    mail = a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 5_000_000))
    assert _errors(validator, mail) == []


_SPOILERS: dict[str, Callable[[Payload], object]] = {
    "an address that is none": lambda payload: payload["from"].update(email="nobody"),
    "a missing sender": lambda payload: payload.pop("from"),
    "an empty subject": lambda payload: payload.update(subject=""),
    "a field nobody knows": lambda payload: payload.update(sendAt=1),
    "a field nobody knows, deep down": lambda payload: payload["personalizations"][0].update(ccc=[]),
    "a boolean as text": lambda payload: payload["tracking_settings"]["open_tracking"].update(enable="false"),
    "another disposition": lambda payload: payload["attachments"][0].update(disposition="download"),
}


@pytest.mark.parametrize("name", _SPOILERS)
def test_the_specification_as_used_here_finds(name: str, validator: Draft202012Validator) -> None:
    payload = _payload(a_mail())
    assert validator.is_valid(payload)
    _SPOILERS[name](payload)
    assert not validator.is_valid(payload)


def test_opens_and_clicks_are_not_tracked() -> None:
    settings = _payload(a_mail())["tracking_settings"]
    assert [switch["enable"] for switch in settings.values()] == [False, False]
    assert set(settings) == {"click_tracking", "open_tracking"}


def test_the_intent_travels_inside_the_personalization() -> None:
    [envelope] = _payload(a_mail())["personalizations"]
    assert envelope == {"to": [{"email": TO}], "custom_args": {"export_id": "exp-1", "send_intent": "exp-1:1"}}


def test_what_cannot_be_seen_is_not_sent() -> None:
    hidden = "\r\nBcc: evil@example.org\x00\x85\u202e\ud800"
    file = Attachment(f"m{hidden}.csv", "text/csv", b"-")
    payload = _payload(a_mail(subject=f"S{hidden}", text=f"T{hidden}", html=f"H{hidden}", attachment=file))
    assert payload["subject"] == "S Bcc: evil@example.org\ufffd"
    assert payload["attachments"][0]["filename"] == "m Bcc: evil@example.org\ufffd.csv"
    assert [part["value"] for part in payload["content"]] == [
        "T\nBcc: evil@example.org\ufffd",
        "H\nBcc: evil@example.org\ufffd",
    ]


def test_no_naughty_string_breaks_a_rule(validator: Draft202012Validator, shared_data: Path) -> None:
    strings = json.loads((shared_data / "blns.json").read_text(encoding="utf-8"))
    for naughty in [*strings, "x\r\nBcc: evil@example.org", "\ud800", "a\x00\x85b", "\u2028x", "\u202etxt.exe"]:
        mail = a_mail(
            subject=f"x{naughty}",
            text=f"x{naughty}",
            html=f"<p>{naughty}</p>",
            attachment=Attachment(f"x{naughty}.csv", "text/csv", f"x{naughty}".encode("utf-8", "surrogatepass")),
        )
        assert _errors(validator, mail) == [], naughty


def test_no_naughty_string_is_taken_for_an_address_or_for_an_export_id(shared_data: Path) -> None:
    sent, refusals = [], []
    for naughty in json.loads((shared_data / "blns.json").read_text(encoding="utf-8")):
        for mail in (a_mail(to=naughty), a_mail(to=f"a@{naughty}"), a_mail(export_id=f"{naughty}\n")):
            try:
                sent.append(request_body(mail, SENDER))
            except Unsendable as error:
                refusals.append(str(error))
    assert not [refusal for refusal in refusals if "@" in refusal]
    recipients = {json.loads(body)["personalizations"][0]["to"][0]["email"] for body in sent}
    assert all(re.fullmatch(r"a@[A-Za-z0-9.-]+", recipient) for recipient in recipients)


@pytest.mark.parametrize("changes", [{"export_id": "e" * 10_000}, {"intent": "e" * 10_000}, {"export_id": "ü" * 1_700}])
def test_custom_args_that_are_too_large_are_not_sent(changes: dict[str, str]) -> None:
    with pytest.raises(Unsendable, match="too long"):
        request_body(a_mail(**changes), SENDER)


def test_an_export_id_that_would_come_back_changed_is_not_sent() -> None:
    with pytest.raises(Unsendable, match="cannot travel"):
        request_body(a_mail(export_id="exp\r\n1"), SENDER)
