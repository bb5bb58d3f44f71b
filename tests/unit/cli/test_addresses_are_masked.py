"""Whatever an operator types, and whatever is refused: no command prints an address without `--reveal`."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.errors import MailRefused, MembershipsUnavailable
from memberships_export.domain.export.held import Holder, claim, fail_held, wait
from memberships_export.domain.export.lifecycle import next_trouble
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.messages.letters import failure_attributes
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.service.record import change
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

ALICE, BEFORE = "alice@example.org", "alice.before@example.org"
POLICY = Policy()
IDS = ("11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002")


def stored(ports: Ports, export_id: str, user: str) -> tuple[Export, Holder]:
    now = utc_now()
    made = an_export(export_id=export_id, user_id=user, email=BEFORE, requested_at=now, wake_at=now)
    export = ports.store.create(made)
    known = ports.store.replace(export, replace(export, email=ALICE, earlier_emails=(BEFORE,)))
    assert known
    held = change(ports.store, now, known, claim, "w", now, POLICY)
    return held, Holder(held.token, now, POLICY)


@pytest.fixture
def data(ports: Ports, tmp_path: Path) -> Path:
    """One that waits and one that failed, for reasons that name the address, and letters that do."""
    waits, holder = stored(ports, IDS[0], "user-1")
    now = utc_now()
    trouble = next_trouble(waits, MembershipsUnavailable(f"No answer about {ALICE}."), now)
    change(ports.store, now, waits, wait, holder, trouble, now)
    fails, holder = stored(ports, IDS[1], ALICE)  # there are user ids that are addresses
    failed = change(ports.store, now, fails, fail_held, holder, MailRefused(f"550 5.1.1 <{ALICE}> is unknown"))
    message = wake_message(failed)
    ports.dead_letters.add(Message(message.body, {**message.attributes, **failure_attributes(failed)}))
    ports.dead_letters.add(Message(f'{{"userId": "user-3", "email": "{ALICE}"}}', {"reason": f"<{ALICE}>"}))
    ports.dead_letters.add(Message(ALICE, {"exportId": ALICE, "stage": ALICE, "errorCode": ALICE}))
    return tmp_path


COMMANDS = [
    "exports list",
    f"exports list --email {ALICE}",
    f"exports list --user {ALICE}",
    f"exports list --status {ALICE}",
    f"exports list --code {ALICE}",
    f"exports list --since {ALICE}",
    f"exports list --after {ALICE}",
    f"exports show {IDS[0]}",
    f"exports show {IDS[1]}",
    f"exports show {ALICE}",
    f"exports cancel {IDS[1]}",
    f"exports resend {IDS[1]}",
    f"exports retry {IDS[1]}",
    f"exports retry {IDS[0]}",
    f"exports retry --all --code {ALICE}",
    "dlq list",
    "dlq list --group",
    f"dlq show {IDS[1]}",
    f"dlq show {ALICE}",
    "dlq redrive --all --dry-run",
    "dlq redrive --all",
    f"dlq redrive {ALICE}",
    f"dlq purge {ALICE} --yes",
    "audit",
    f"audit --user {ALICE}",
    f"audit --export {ALICE}",
    f"audit --since {ALICE}",
    f"audit --before {ALICE}",
    f"erase --user {ALICE} --dry-run",
    f"erase --user {ALICE} --yes",
    "erase --list",
    f"erase --again --from /nonexistent/{ALICE}",
    "doctor",
]
SHOWN = re.compile(r"(?<![\w*])alice(\.before)?@example\.org")


WITH_JSON = [f"{command} --json" for command in COMMANDS if "redrive" not in command and "purge" not in command]


@pytest.mark.parametrize("command", [*COMMANDS, *WITH_JSON])
def test_no_address_is_printed(cli: Cli, data: Path, command: str) -> None:
    result = cli(*command.split(), MEMBERSHIPS_EXPORT_DATA_DIR=str(data))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert not SHOWN.search(result.output), result.output
