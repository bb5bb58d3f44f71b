"""The rig itself: a fault that does not happen would make every test of it pass."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest

from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence
from memberships_export.service.mail_events.record_mail_events import MailEvent
from rig.loopback import LoopbackHandler, LoopbackServer
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import NAMED, Behaviour, cut_body_after, read_behaviour
from rig.waiting import PATIENCE_SECONDS, until
from tests.contract.mailers import TO, a_mail, sendgrid

_ROOT = Path(__file__).parents[2]


def _ledger(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@contextmanager
def _listener() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Take what is posted."""
    posts: list[tuple[dict[str, str], bytes]] = []

    class Handler(LoopbackHandler):
        def do_POST(self) -> None:
            posts.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    with LoopbackServer(Handler) as server:
        yield f"{server.url}/webhooks/sendgrid", posts


def test_the_ledger_tells_what_was_accepted_and_what_was_not(tmp_path: Path) -> None:
    ledger, mail = tmp_path / "mails.jsonl", a_mail()
    script = [read_behaviour(step) for step in ("accept_then_500", "status:503", "accept")]
    with FakeSendGrid(script, ledger=ledger) as fake:
        for _ in range(3):
            sendgrid(fake.url).send(mail)
    assert mail.attachment
    entries = _ledger(ledger)
    assert [entry["accepted"] for entry in entries] == [True, False, True]
    assert {key: entries[0][key] for key in ("exportId", "intent", "to", "sha256", "rows", "possibleDuplicate")} == {
        "exportId": "exp-1",
        "intent": "exp-1:1",
        "to": TO,
        "sha256": sha256(mail.attachment.content).hexdigest(),
        "rows": 1,
        "possibleDuplicate": False,
    }


@pytest.mark.parametrize("name", [name for name, step in NAMED.items() if step.accepts])
def test_a_mail_counts_as_accepted_whatever_the_client_is_told(name: str) -> None:
    with FakeSendGrid([NAMED[name]]) as fake:
        sendgrid(fake.url, read_seconds=1).send(a_mail())
        until(lambda: len(fake.accepted) == 1, "the mail", progress=lambda: fake.requests)  # it may wait no longer


def test_every_accepted_mail_is_followed_by_signed_events() -> None:
    with _listener() as (url, posts):
        with FakeSendGrid([read_behaviour("accept_then_reset")], webhook_url=url) as fake:
            sendgrid(fake.url).send(a_mail())
        [(headers, body)] = posts
    webhook = SendGridWebhook(fake.signer.public_key)
    signature, timestamp = (headers[f"X-Twilio-Email-Event-Webhook-{name}"] for name in ("Signature", "Timestamp"))
    accepted = SendFact(number=1, evidence=Evidence.ACCEPTED, message_id="fake-1")
    delivered = SendFact(number=1, evidence=Evidence.ACCEPTED, message_id="fake-1", delivery=Delivery.DELIVERED)
    assert webhook.read(signature, timestamp, body) == [MailEvent("exp-1", accepted), MailEvent("exp-1", delivered)]
    assert body.endswith(b"\r\n")


def test_it_runs_as_a_process_of_its_own_until_it_is_told_to_stop(tmp_path: Path) -> None:
    ledger = tmp_path / "mails.jsonl"
    command = [sys.executable, "-m", "rig.services.fake_sendgrid", "--ledger", str(ledger), "--script", "status:429"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port, public_key = process.stdout.readline().strip(), process.stdout.readline().strip()
        results = [sendgrid(f"http://127.0.0.1:{port}").send(a_mail()) for _ in range(2)]
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert [result.evidence for result in results] == [Evidence.REFUSED, Evidence.ACCEPTED]
    assert [entry["accepted"] for entry in _ledger(ledger)] == [False, True]
    SendGridWebhook(public_key)


def test_a_script_is_read_step_by_step() -> None:
    assert read_behaviour("status:429:Retry-After=7") == Behaviour(status=429, headers={"Retry-After": "7"})
    assert read_behaviour("cut_body_after:1000") == cut_body_after(1000)
    assert {name: read_behaviour(name) for name in NAMED} == NAMED


@pytest.mark.parametrize(
    "step", ["", "acept", "status", "status:x", "cut_body_after:", "accept:1", "cut_body_after:1:2"]
)
def test_a_step_nobody_knows_is_refused_with_what_is_known(step: str) -> None:
    with pytest.raises(ValueError, match="known: accept, accept_then_reset"):
        read_behaviour(step)


def test_only_mail_send_is_there() -> None:
    with FakeSendGrid() as fake:
        connection = HTTPConnection("127.0.0.1", fake.port, timeout=PATIENCE_SECONDS)
        connection.request("POST", "/v3/mail/batch", b"{}")
        assert connection.getresponse().status == 404
        connection.close()
        assert fake.requests == 0
