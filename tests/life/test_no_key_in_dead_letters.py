"""A key that an API wants in the URL is in no log, no record and no dead letter, however an export ends."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest

from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from rig.services.recording_api import RecordingApi, Reply
from tests.fakes.world import World
from tests.readers import a_reader, readers

KEY = "canary/key+&"
QUOTED = "canary%2Fkey%2B%26"
PROFILE = """
version = 1
request = { path = "/members/{user.id}/memberships" }
auth = { type = "api_key", name = "key", location = "query", allow_key_in_url = true, api_key = "env:KEY" }
rows = { path = "", key = ["id"], order = "rising", owner = "member" }
paginator = { type = "page_number", size_param = "size", size = 2 }
columns = [{ name = "id", required = true }, { name = "member", required = true }]
"""
A_PAGE = Reply(json.dumps([{"id": f"m-{n}", "member": "secret-user"} for n in range(2)]).encode())
FOREIGN = Reply(b'[{"id": "m-9", "member": "somebody"}]')


@pytest.mark.parametrize(
    "then,code",
    [
        (Reply(status=404), "memberships_contract_broken"),
        (Reply(status=302), "memberships_contract_broken"),
        (Reply(b"<html>"), "memberships_contract_broken"),
        (FOREIGN, "foreign_rows"),
        (Reply(status=401), "still_refused"),
        (Reply(status=403), "still_refused"),
        (Reply(status=503), "gave_up_waiting"),
        (Reply(broken=True), "gave_up_waiting"),
        (Reply(status=503, headers=[("no header at all", "x")]), "gave_up_waiting"),
    ],
)
@pytest.mark.parametrize("pages", [0, 1])
def test_no_key_of_a_url_is_left_behind(pages: int, then: Reply, code: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
        caplog.set_level(logging.DEBUG, logger=name)
    replies = chain([A_PAGE] * pages, repeat(then))
    world = World()
    with RecordingApi(lambda _: next(replies)) as api:
        source = MembershipsHttp(
            api.url, lambda _: "", clock=lambda: datetime.now(UTC), secrets=ProfileSecrets({"KEY": KEY})
        )
        world.services = world.over(replace(world.ports, source=source, readers=readers(a_reader(PROFILE))))
        export = world.request(user_id="secret-user")
        world.work()
        for _ in range(200):
            world.pass_time(timedelta(minutes=20))
    assert all(f"key={QUOTED}" in seen.target for seen in api.seen), "it is sent"

    kept = world.export(export)
    assert kept.failure
    (letter,) = world.dead_letters.letters
    assert (kept.failure.code, letter.message.attributes["errorCode"]) == (code, code)
    written = [caplog.text, repr(kept), repr(letter), repr(world.mailer.mails), repr(world.files.content)]
    for private in (KEY, QUOTED, "canary"):
        assert not any(private in text for text in written)
    for text in (kept.failure.reason, letter.message.attributes["reason"]):
        assert "secret-user" not in text
