"""Signed batches of events: forged ones change nothing, and repeats, delays and disorder make no difference."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook, SignatureCheck, parse_events
from memberships_export.domain.export.delivery import SendFact, learn
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus, Send
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.mail_events.webhook import ForgedEvents, MalformedEvents
from rig.services.sendgrid_mail import ReceivedMail
from rig.services.sendgrid_webhook import EventSigner
from tests.factories import REQUESTED_AT, an_export

_NOW = REQUESTED_AT + timedelta(minutes=10)
_SIGNER = EventSigner()


def _body(*events: object) -> bytes:
    return json.dumps(events).encode()


def _event(kind: object = "delivered", **fields: object) -> dict[str, object]:
    ours: dict[str, object] = {"export_id": "exp-1", "send_intent": "exp-1:1", "sg_message_id": "XID.filter-1"}
    return {"event": kind, "email": "canary@example.org"} | ours | fields


def _fact(**fields: Any) -> SendFact:  # noqa: ANN401  (fields of SendFact)
    given_fields: dict[str, Any] = {"number": 1, "evidence": Evidence.ACCEPTED, "message_id": "XID"} | fields
    return SendFact(**given_fields)


def _waiting() -> Export:
    """Two sends of one mailing, and nobody knows what became of them."""
    sends = tuple(
        Send(number=number, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.SILENT) for number in (1, 2)
    )
    return an_export(export_id="exp-1", status=ExportStatus.WAITING, sends=sends)


def _learned(export: Export, body: bytes) -> Export:
    for event in parse_events(body):
        export = learn(export, event.fact, _NOW, Policy())
    return export


# --- The signature ----------------------------------------------------------------------------------------------------


def test_a_batch_that_sendgrid_signed_is_believed_and_any_change_to_it_is_not(shared_data: Path) -> None:
    vector = json.loads((shared_data / "sendgrid_event_webhook_signature_vector.json").read_text(encoding="utf-8"))
    good = {
        "public_key_base64_der_spki": vector["public_key_base64_der_spki"],
        "body": vector["body"],
        "signature": vector["headers"]["X-Twilio-Email-Event-Webhook-Signature"],
        "timestamp": vector["headers"]["X-Twilio-Email-Event-Webhook-Timestamp"],
    }
    assert _verified(good)
    assert len(vector["must_reject"]) == 4
    for change in vector["must_reject"]:
        assert not _verified(good | change), change["why"]


def _verified(parts: dict[str, str]) -> bool:
    check = SignatureCheck(parts["public_key_base64_der_spki"])
    return check.verify(parts["timestamp"].encode(), parts["body"].encode(), parts["signature"])


@given(signature=st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()), body=st.binary())
def test_no_made_up_signature_passes(signature: str, body: bytes) -> None:
    assert not SignatureCheck(_SIGNER.public_key).verify(b"1750000000", body, signature)


@given(data=st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    batch = _SIGNER.sign([_event()])
    place = data.draw(st.integers(0, len(batch.body) - 1))
    changed = bytearray(batch.body)
    changed[place] ^= data.draw(st.integers(1, 255))
    check = SignatureCheck(_SIGNER.public_key)
    assert check.verify(batch.timestamp.encode(), batch.body, batch.signature)
    assert not check.verify(batch.timestamp.encode(), bytes(changed), batch.signature)


def _base64_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not base64!",
        "Ü",
        "AAAA",
        f"-----BEGIN PUBLIC KEY-----\n{_SIGNER.public_key}\n-----END PUBLIC KEY-----",
        _SIGNER.public_key[:-8],
        _base64_of(ec.generate_private_key(ec.SECP384R1())),
        _base64_of(rsa.generate_private_key(65537, 2048)),
    ],
)
def test_a_key_of_another_kind_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="MEMBERSHIPS_EXPORT_SENDGRID_WEBHOOK_KEY is not a P-256 public key") as caught:
        SignatureCheck(key)
    assert "MFkw" in str(caught.value)


def test_a_key_may_come_with_white_space_around_it() -> None:
    batch = _SIGNER.sign([])
    assert SignatureCheck(f" {_SIGNER.public_key}\n").verify(batch.timestamp.encode(), batch.body, batch.signature)


# --- The webhook ------------------------------------------------------------------------------------------------------


def test_the_webhook_reads_what_is_signed() -> None:
    body = b'{"personalizations": [{"to": [{"email": "m@example.org"}], "custom_args": '
    body += b'{"export_id": "exp-1", "send_intent": "exp-1:1"}}]}'
    mail = ReceivedMail(message_id="XID", accepted=True, headers={}, body=body)
    batch = _SIGNER.events_for(mail, ["processed", "delivered"])
    events = SendGridWebhook(_SIGNER.public_key).read(batch.signature, batch.timestamp, batch.body)
    assert events == [MailEvent("exp-1", _fact()), MailEvent("exp-1", _fact(delivery=Delivery.DELIVERED))]


@pytest.mark.parametrize("signature, timestamp", [("", "1750000000"), ("AAAA", ""), ("\udcff", "\udcff"), ("ü", "ü")])
def test_the_webhook_calls_a_wrong_signature_forged(signature: str, timestamp: str) -> None:
    with pytest.raises(ForgedEvents):
        SendGridWebhook(_SIGNER.public_key).read(signature, timestamp, b"[]")


def test_the_webhook_calls_a_signed_body_of_another_shape_malformed() -> None:
    batch = _SIGNER.sign({"event": "delivered"})
    with pytest.raises(MalformedEvents, match="expected an array of events"):
        SendGridWebhook(_SIGNER.public_key).read(batch.signature, batch.timestamp, batch.body)


# --- What the events say ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, extra, fact",
    [
        ("processed", {}, _fact()),
        ("deferred", {"response": "400 later", "attempt": "5"}, _fact()),
        ("open", {}, _fact()),
        ("click", {"url": "https://x.example"}, _fact()),
        ("spamreport", {}, _fact()),
        ("unsubscribe", {}, _fact()),
        ("group_unsubscribe", {}, _fact()),
        ("delivered", {"response": "250 OK"}, _fact(delivery=Delivery.DELIVERED)),
        ("bounce", {"reason": "550 no"}, _fact(delivery=Delivery.BOUNCED, detail="bounce: 550 no")),
        ("dropped", {"reason": "Bounced Address"}, _fact(delivery=Delivery.BOUNCED, detail="dropped: Bounced Address")),
        ("blocked", {}, _fact(delivery=Delivery.BOUNCED, detail="blocked")),
        ("bounce", {"reason": 7}, _fact(delivery=Delivery.BOUNCED, detail="bounce")),
    ],
)
def test_an_event_says_what_became_of_a_send(kind: str, extra: dict[str, object], fact: SendFact) -> None:
    assert parse_events(_body(_event(kind, **extra))) == [MailEvent("exp-1", fact)]


def test_the_reason_of_a_bounce_names_no_address_and_is_one_short_line() -> None:
    reason = "550 <canary@example.org> unknown\r\nSee canary%40example.org \u202e " + "x " * 500
    [event] = parse_events(_body(_event("bounce", reason=reason)))
    assert event.fact.detail is not None
    assert event.fact.detail.startswith("bounce: 550 [address] unknown See [address] x x")
    assert len(event.fact.detail) == 300
    assert "canary" not in repr(event)


@pytest.mark.parametrize("name, kept", [("XID.filter-1.2", "XID"), ("XID", "XID"), ("", None), (None, None), (7, None)])
def test_the_message_id_is_the_one_the_send_was_answered_with(name: object, kept: str | None) -> None:
    [event] = parse_events(_body(_event(sg_message_id=name)))
    assert event.fact.message_id == kept


@pytest.mark.parametrize(
    "event",
    [
        _event("some_future_event"),
        _event(None),
        _event(["delivered"]),
        {},
        [],
        "delivered",
        None,
        1,
    ],
    ids=repr,
)
def test_what_is_not_about_a_mail_is_passed_over(event: object) -> None:
    assert parse_events(_body(event, _event())) == [MailEvent("exp-1", _fact(delivery=Delivery.DELIVERED))]


@pytest.mark.parametrize(
    "event",
    [
        _event(send_intent=None),
        _event(send_intent=1),
        _event(send_intent=["exp-1:1"]),
        _event(send_intent="exp-1"),
        _event(send_intent=":1"),
        _event(send_intent="exp-1:-1"),
        _event(send_intent="exp-1:²"),
        _event(send_intent="exp-1:failure", export_id="exp-1"),
        _event(send_intent="exp-1:" + "9" * 5000),
        _event(export_id="exp-2"),
        _event(export_id=None),
        _event(export_id={"exp-1": 1}),
        {"event": "delivered", "sg_message_id": "XID.filter-1"},
    ],
    ids=repr,
)
def test_an_event_without_arguments_of_ours_has_its_message_id_only(event: object) -> None:
    fact = _fact(number=0, delivery=Delivery.DELIVERED)
    assert parse_events(_body(event)) == [MailEvent(None, fact)]


def test_an_event_without_any_id_is_read_so_that_it_can_be_counted() -> None:
    fact = _fact(number=0, message_id=None, delivery=Delivery.DELIVERED)
    assert parse_events(_body({"event": "delivered"})) == [MailEvent(None, fact)]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b'"delivered"', b"7", b"[", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000, b"[NaN"]
)
def test_a_body_that_is_no_array_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="expected an array of events"):
        parse_events(body)


@given(st.binary())
def test_a_body_of_any_bytes_is_events_or_an_error(body: bytes) -> None:
    try:
        assert parse_events(body) == []
    except ValueError as error:
        assert "expected an array of events" in str(error)  # noqa: PT017  (most bodies are errors, some are empty)


_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_ANY_JSON = _SCALAR | st.lists(_SCALAR, max_size=2) | st.dictionaries(st.text(max_size=3), _SCALAR, max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from([*_event(), "reason"]), _ANY_JSON), max_size=5))
def test_an_event_with_any_values_is_read_or_passed_over(events: list[dict[str, object]]) -> None:
    assert all(event.export_id is None for event in parse_events(_body(*events)))


def test_the_batch_with_repeats_and_unknown_events_leads_to_a_bounced_mail(shared_data: Path) -> None:
    body = (shared_data / "sendgrid_event_batch_synthetic.json").read_bytes()
    events = parse_events(body)
    assert [event.export_id for event in events if event.export_id] == ["exp_01"] * 7
    export = replace(_waiting(), export_id="exp_01")
    learned = _learned(export, body)
    assert learned.status is ExportStatus.COMPLETED
    assert learned.sends[0].delivery is Delivery.BOUNCED
    assert learned.sends[0].message_id == "XID"
    assert learned.sends[1] == export.sends[1]
    assert _learned(learned, body) == learned


# --- Repeats and disorder ---------------------------------------------------------------------------------------------

# What SendGrid can say about one send. It has one recipient, so it ends in at most one kind of failure.
_HISTORIES = [
    ["processed", "deferred", "delivered", "open", "click"],
    ["processed", "deferred", "deferred", "bounce"],
    ["processed", "delivered", "bounce", "spamreport"],
    ["dropped"],
    ["processed"],
]


def _about(number: int, kind: str) -> dict[str, object]:
    reason = {"reason": "550 no such user"} if kind in {"bounce", "dropped"} else {}
    return _event(kind, send_intent=f"exp-1:{number}", sg_message_id=f"X{number}.filter", **reason)


@pytest.mark.parametrize("kinds", [kinds for kinds in _HISTORIES if len(kinds) < 5])
def test_every_order_of_one_history_ends_the_same(kinds: list[str]) -> None:
    ends = [_learned(_waiting(), _body(*(_about(1, kind) for kind in order))) for order in permutations(kinds)]
    assert ends[0].status is ExportStatus.COMPLETED
    assert ends == [ends[0]] * len(ends)


@given(data=st.data(), first=st.sampled_from(_HISTORIES), second=st.sampled_from([[], *_HISTORIES]))
def test_repeats_disorder_and_batches_make_no_difference(
    data: st.DataObject, first: list[str], second: list[str]
) -> None:
    events = [_about(1, kind) for kind in first] + [_about(2, kind) for kind in second]
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=12))
    shuffled = data.draw(st.permutations(events + repeats))
    cut = data.draw(st.integers(0, len(shuffled)))
    in_two_batches = _learned(_learned(_waiting(), _body(*shuffled[:cut])), _body(*shuffled[cut:]))
    assert in_two_batches == _learned(_waiting(), _body(*events))


def test_a_batch_of_768_kilobytes_is_read() -> None:
    events = [_event(reason="x" * 100, sg_event_id=str(number)) for number in range(3200)]
    body = _body(*events)
    assert len(body) > 768 * 1024
    assert len(parse_events(body)) == 3200
