"""A token of an authorization server that dies, or cannot be had, while an export is under way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.domain.export.record import ExportStatus
from rig.services.fake_oauth2 import CLIENT, SECRET, FakeOAuth2
from rig.services.recording_api import RecordingApi, Reply, Seen
from tests.fakes.world import World
from tests.readers import a_reader, readers

PAGES = 4
PROFILE = """
version = 1
request = {{ path = "/members/{{user.id}}/memberships" }}
rows = {{ path = "items", key = ["id"], order = "rising", owner = "member" }}
paginator = {{ type = "cursor", cursor_path = "next", cursor_param = "after", required = true, size_param = "size" }}
columns = [{{ name = "id", required = true }}, {{ name = "member", required = true }}]
[auth]
type = "oauth2_client_credentials"
access_token_url = "{url}/token"
client_id = "{client}"
client_secret = "env:CS"
"""


@dataclass
class Walk:
    """An export over an API that takes the tokens of a server; `trouble` is what happens before a page is given."""

    world: World
    server: FakeOAuth2
    api: RecordingApi
    trouble: dict[int, Reply | None]  # page -> what is answered once instead; None: all tokens end

    def page(self, seen: Seen) -> Reply:
        number = int(parse_qs(urlsplit(seen.target).query).get("after", ["0"])[0])
        if number in self.trouble and (told := self.trouble.pop(number)) is not None:
            return told
        if not self.server.accepts(seen.header("Authorization")):
            return Reply(status=401)
        if number + 1 in self.trouble and self.trouble[number + 1] is None:
            self.server.take_back()
            del self.trouble[number + 1]
        following = str(number + 1) if number + 1 < PAGES else None
        rows = [{"id": f"m-{number}-{row}", "member": "user-1"} for row in range(2)]
        return Reply(json.dumps({"items": rows, "next": following}).encode())


@pytest.fixture
def walk() -> Iterator[Walk]:
    world = World()
    with FakeOAuth2() as server, RecordingApi() as api:
        source = MembershipsHttp(api.url, lambda _: "", secrets=ProfileSecrets({"CS": SECRET}))
        profile = a_reader(PROFILE.format(url=server.url, client=CLIENT))
        world.services = world.over(replace(world.ports, source=source, readers=readers(profile)))
        made = Walk(world, server, api, {})
        api.answer = made.page
        yield made


def test_a_token_that_dies_between_two_pages_costs_one_call_and_no_try(walk: Walk) -> None:
    walk.trouble = {2: None}
    export = walk.world.request()
    walk.world.work()
    done = walk.world.export(export)
    assert (done.status, done.progress.rows, done.claims) == (ExportStatus.COMPLETED, 2 * PAGES, 1)
    assert (walk.server.given, len(walk.api.seen)) == (2, PAGES + 1)


def test_a_token_that_dies_while_an_export_waits_costs_no_try_either(walk: Walk) -> None:
    walk.trouble = {2: Reply(status=503)}
    export = walk.world.request()
    walk.world.work()
    assert walk.world.export(export).status is ExportStatus.WAITING
    walk.server.take_back()
    walk.world.pass_time(timedelta(minutes=20))
    done = walk.world.export(export)
    assert (done.status, done.progress.rows) == (ExportStatus.COMPLETED, 2 * PAGES)
    assert walk.server.given == 2


def test_an_outage_of_the_token_endpoint_is_waited_for_and_no_page_is_fetched_twice(walk: Walk) -> None:
    walk.trouble = {2: None}
    walk.server.script = [None, Reply(status=503)]  # a token for the first pages, and then none for once
    export = walk.world.request()
    walk.world.work()
    waiting = walk.world.export(export)
    assert waiting.status is ExportStatus.WAITING
    assert waiting.trouble
    assert waiting.trouble.code == "memberships_unavailable"
    assert "The token endpoint at 127.0.0.1:" in waiting.trouble.reason
    walk.world.pass_time(timedelta(minutes=20))
    assert walk.world.export(export).status is ExportStatus.COMPLETED
    assert len(walk.api.seen) == PAGES + 1
