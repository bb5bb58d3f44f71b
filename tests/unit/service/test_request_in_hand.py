"""Whatever a worker does for an export names the request that the export was made by."""

from memberships_export.domain.messages.message import Message
from memberships_export.logs.about import in_hand
from memberships_export.service.user.request import Wish
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(4)]


def test_while_an_export_is_in_hand_lines_name_it_and_its_request() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    wish = Wish(user_id="user-1", email="member@example.org", request_id="mine")
    export = world.services.request(wish).export
    seen = []
    source.before[1] = lambda: seen.append(dict(in_hand()))
    world.work()
    assert seen == [{"export": export.export_id, "request": "mine"}]
    assert in_hand() == {}


def test_a_plain_message_names_the_request_by_its_own_id() -> None:
    world = World(ROWS)
    world.queue.send(Message("{}", {"userId": "user-1", "email": "member@example.org"}))
    received = world.queue.receive(0)
    assert received
    world.services.run(received, lambda: False)
    [record] = world.store.records.values()
    assert record.request_id == received.message_id
