"""Whatever happens, logs and dead letters hold no address, no row and no key beyond what the message itself carries."""

import logging
from datetime import timedelta

import pytest

from memberships_export.domain.errors import MembershipsUnavailable
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import REFUSED_FOR_GOOD, REFUSED_FOR_NOW, SILENT, World

CANARIES = ("member@example.org", "canary-name", "canary-user")
ROWS = [a_membership(n + 1, name="canary-name", userId="canary-user") for n in range(7)]
LEAK = [a_membership(1, name="canary-name", userId="somebody")]
BROKEN = [a_membership(1, name="canary-name", userId="canary-user", recurringPrice="canary-name")]


@pytest.mark.parametrize(
    "world",
    [
        World(source=ListSource(ROWS)),
        World(source=ListSource(ROWS, {2: MembershipsUnavailable("down"), 3: KeyError("canary-name")})),
        World(source=ListSource(LEAK, leaks=True)),
        World(source=ListSource(BROKEN)),
        World(source=ListSource(ROWS), mails=[REFUSED_FOR_NOW, SILENT, SILENT]),
        World(source=ListSource(ROWS), mails=[REFUSED_FOR_GOOD]),
    ],
    ids=["well", "trouble", "foreign rows", "broken rows", "unclear mail", "refused mail"],
)
def test_logs_and_reasons_hold_nothing_personal(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    export = world.request(user_id="canary-user")
    world.work()
    world.pass_time(timedelta(minutes=20), steps=5)
    messages = [record.getMessage() for record in caplog.records]
    assert messages
    kept = world.export(export)
    reasons = [kept.failure.reason] if kept.failure else []
    letters = [letter.message.attributes["reason"] for letter in world.dead_letters.letters]
    for text in [*messages, *reasons, *letters]:
        assert not any(canary in text for canary in CANARIES), text
