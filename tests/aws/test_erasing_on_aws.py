"""Erasing on a simulated AWS, from end to end: afterwards every item, object and message is looked at."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.errors import StorageUnavailable, UnknownExport
from memberships_export.domain.export.finding import address_key
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.formats.options import Options, Preset
from memberships_export.domain.formats.said import say
from memberships_export.domain.messages.message import Message
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.links import DownloadLinks
from memberships_export.service.user.request import Wish
from memberships_export.settings import read_settings
from rig.aws.bare_deployment import BareDeployment
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import status
from tests.life.crashing import Moments

USER, OTHER = "user-canary", "user-other"
ADDRESS, BEFORE = "canary@example.org", "canary.before@example.org"
HASHES = (hashlib.sha256(USER.encode()).hexdigest(), address_key(ADDRESS), address_key(BEFORE))
CANARIES = (USER, ADDRESS, BEFORE, *HASHES)
POLICY = Policy(page_size=10, lease=timedelta(seconds=90))
LINKS = DownloadLinks(secret=lambda: "s" * 32, public_url="https://exports.example.org")


@dataclass
class Account:
    """A deployment with the service inside this process, and all that is kept for it."""

    deployment: BareDeployment
    ports: Ports
    services: Services

    def over(self, moments: Moments) -> Services:
        return assemble(moments.over(self.ports), POLICY, LINKS)

    def ask(self, preset: Preset, user: str = USER, email: str = ADDRESS) -> Export:
        wish = Wish(user_id=user, email=email, said=say(Options(preset=preset)))
        return self.services.request(wish).export

    def work(self) -> None:
        """Let a worker take all messages."""
        while received := self.ports.queue.receive(0):
            self.services.run(received, lambda: False)
            self.ports.queue.acknowledge(received)

    def command(self, *arguments: str) -> Result:
        environ = {name: value for name, value in self.deployment.environ.items() if "MEMBERSHIPS_URL" not in name}
        return CliRunner().invoke(make_app(), [*arguments, "--backend", "aws"], env=environ)

    @property
    def exports(self) -> list[Export]:
        found = (self.ports.store.get(one, expired=True) for one in self.ports.store.ids_of_user(USER))
        return [export for export in found if export]

    def kept(self) -> Iterator[str]:
        """Everything: items, names and bytes of objects, messages and letters, also those in somebody's hand."""
        aws, environ = self.deployment.aws, self.deployment.environ
        yield from map(repr, aws.dynamodb.scan(TableName=environ["MEMBERSHIPS_EXPORT_TABLE"])["Items"])
        bucket = environ["MEMBERSHIPS_EXPORT_BUCKET"]
        for entry in aws.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            body = aws.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield f"{entry['Key']} {body!r}"
        for url in (self.deployment.queues.url, self.deployment.queues.dead_letters_url):
            yield from _messages(aws.sqs, url)

    def traces(self) -> list[str]:
        return [text for text in self.kept() if any(canary in text for canary in CANARIES)]


def _messages(sqs: Any, url: str) -> Iterator[str]:  # noqa: ANN401  (a client)
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        new = [one for one in answer.get("Messages", []) if one["MessageId"] not in seen]
        if not new:
            return
        seen |= {one["MessageId"] for one in new}
        yield from (repr((one["Body"], one.get("MessageAttributes"))) for one in new)


@pytest.fixture
def account(deployment: BareDeployment, memberships: FakeMemberships) -> Account:
    settings = read_settings(deployment.environ)
    ports = connect(settings, memberships.url)
    return Account(deployment, ports, assemble(ports, POLICY, LINKS))


@pytest.fixture
def full(account: Account, memberships: FakeMemberships, sendgrid: FakeSendGrid) -> Account:
    """Exports of the canary in every state, one of them expired and not deleted yet, and one of somebody else."""
    done = account.ask(Preset.SPREADSHEET, email=BEFORE)
    account.ask(Preset.SPREADSHEET)  # under way, to another address now
    account.work()
    account.services.resend(done.export_id, USER, ADDRESS)
    account.work()
    sendgrid.follow(status(400))
    account.ask(Preset.RAW)
    account.work()
    old = account.ask(Preset.EXCEL_FR)
    account.work()
    expired = account.ports.store.get(old.export_id)
    assert expired
    account.ports.store.replace(expired, replace(expired, expires_at=utc_now() - timedelta(hours=1)))
    account.ask(Preset.SPREADSHEET, user=OTHER, email="other@example.org")
    account.work()
    memberships.follow("ok", "status:503*")
    account.ask(Preset.EXCEL_DE)
    account.work()
    account.ask(Preset.EXCEL_IT)
    account.ports.dead_letters.add(Message("no JSON", {"userId": USER, "email": ADDRESS}))
    return account


def test_nothing_of_the_person_is_left_anywhere(full: Account) -> None:
    states = sorted(export.status for export in full.exports)
    assert states == ["completed", "completed", "failed", "queued", "waiting"]
    ids = [export.export_id for export in full.exports]
    before = full.traces()
    for kind in ("'document'", "parts/", "csv/", "'active#", "'turns#", "'address#", "errorCode", "no JSON"):
        assert any(kind in text for text in before), f"{kind}: there is something to find"

    result = full.command("erase", "--user", USER, "--yes", "--json")

    assert result.exit_code == 0, result.output
    receipt = json.loads(result.stdout)
    assert sorted(one["outcome"] for one in receipt["exports"]) == states
    assert receipt["deadLetters"] == 2
    assert any("The queue finds no message by its content" in one["what"] for one in receipt["remains"])
    full.work()  # messages in the queue are removed by whoever takes them
    assert full.traces() == []
    left = list(full.kept())
    assert not [text for text in left if any(f"csv/{one}" in text or f"parts/{one}" in text for one in ids)]
    assert sum("'tombstone'" in text for text in left) == 5
    assert [text for text in left if OTHER in text], "somebody else's is left alone"
    listed = json.loads(full.command("erase", "--list", "--json").stdout)
    assert {one["exportId"] for one in listed} == set(ids)


def test_what_was_erased_is_listed_and_erased_again_from_the_list(full: Account, tmp_path: Any) -> None:  # noqa: ANN401
    records = full.exports
    full.command("erase", "--user", USER, "--yes")
    full.work()
    listed = full.command("erase", "--list", "--json")
    (tmp_path / "erased.json").write_text(listed.stdout)
    assert len(json.loads(listed.stdout)) == 5
    for export in records:  # as a table that was restored has them
        full.ports.store.create(replace(export, status=ExportStatus.COMPLETED, expires_at=None))
    assert full.traces()

    again = full.command("erase", "--again", "--from", str(tmp_path / "erased.json"))

    assert again.exit_code == 0, again.output
    assert "Erased at" in again.stdout
    assert full.traces() == []


def test_a_record_that_nobody_can_read_goes_too(full: Account) -> None:
    table = full.deployment.environ["MEMBERSHIPS_EXPORT_TABLE"]
    for export, document in zip(full.exports, ("{", '{"status": "on_the_moon"}', "[]"), strict=False):
        full.deployment.aws.dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": export.export_id}},
            UpdateExpression="SET document = :document",
            ExpressionAttributeValues={":document": {"S": document}},
        )
    result = full.command("erase", "--user", USER, "--yes", "--json")
    assert [one["outcome"] for one in json.loads(result.stdout)["exports"]].count("unreadable") == 3
    full.work()
    assert [text for text in full.traces() if "'address#" not in text] == [], (
        "that expires by itself: the receipt says so"
    )


def refuse() -> None:
    raise StorageUnavailable("Not this time.")


@pytest.mark.parametrize("moment", [*range(1, 60, 4)])
def test_a_store_that_is_away_in_the_middle_leaves_the_rest_to_a_second_run(full: Account, moment: int) -> None:
    with suppress(StorageUnavailable):
        full.over(Moments(moment, refuse)).erase_user(USER)
    assert full.command("erase", "--user", USER, "--yes").exit_code == 0
    full.work()
    assert full.traces() == []


@pytest.mark.parametrize("by", ["operator", "member"])
@pytest.mark.parametrize("moment", [*range(2, 40, 4)])
def test_a_worker_that_holds_the_export_leaves_nothing(account: Account, moment: int, by: str) -> None:
    export = account.ask(Preset.SPREADSHEET)
    received = account.ports.queue.receive(0)
    assert received

    def happening() -> None:
        if by == "operator":
            assert account.command("erase", "--user", USER, "--yes").exit_code == 0
        else:
            account.services.erase_own(export.export_id, USER)

    account.over(Moments(moment, happening)).run(received, lambda: False)
    account.ports.queue.acknowledge(received)
    account.work()
    later = replace(account.ports, clock=lambda: utc_now() + POLICY.lease)
    assemble(later, POLICY, LINKS).sweep()
    account.ports.store.forget_turns(USER)  # a member's own deletion leaves how often they asked within the hour
    assert account.traces() == []


def test_a_member_erases_one_export_with_all_but_its_letter(full: Account) -> None:
    failed = next(export for export in full.exports if export.status is ExportStatus.FAILED)
    tombstone = full.services.erase_own(failed.export_id, USER)
    assert tombstone.outcome == "failed"
    left = [text for text in full.kept() if failed.export_id in text]
    kinds = ["tombstone" if "'tombstone'" in text else "audit" if "audit#" in text else "letter" for text in left]
    assert sorted(kinds) == ["audit", "letter", "tombstone"], "the role of the API may not look at letters"
    again = full.services.erase_own(failed.export_id, USER)
    assert (again.erased_at, again.outcome) == (tombstone.erased_at, "failed")
    with pytest.raises(UnknownExport):
        full.services.erase_own(failed.export_id, OTHER)
