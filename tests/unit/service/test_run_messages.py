"""What a worker makes of the messages it finds: ours, plain ones, and those nobody can act on."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.options import Likes, Options, Preset, of_preset
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from tests.fakes.world import World, attachment


def test_a_plain_message_with_user_and_address_gets_a_record_and_a_mail() -> None:
    world = World()
    world.queue.send(Message("export please", {"userId": "user-1", "email": "plain@example.org"}))
    world.work()
    (export,) = world.store.records.values()
    assert (export.status, export.user_id, world.mails[0].to) == (
        ExportStatus.COMPLETED,
        "user-1",
        "plain@example.org",
    )


def test_the_record_of_a_plain_message_is_like_that_of_a_request() -> None:
    """A worker that dies right after it made the record leaves it to the sweeper, so that has to look."""
    world = World()
    world.queue.send(Message("-", {"userId": "user-1", "email": "member@example.org"}))
    received = world.queue.receive(0)
    assert received is not None
    made = world.services.run.find(received)
    assert made is not None
    asked = World().request()
    named = replace(asked, export_id=made.export_id, revision=made.revision, request_id=received.message_id)
    assert made == named
    world.queue.lose_all()
    world.pass_time(timedelta(seconds=31))
    assert world.export(made).status is ExportStatus.COMPLETED


def test_a_plain_message_may_choose_the_file_as_clients_do() -> None:
    world = World(likes=Likes(languages=("fr",), time_zones=("Europe/Paris",)))
    said = {"preset": "raw", "columns": ["name", "id"]}
    world.queue.send(Message(json.dumps({"userId": "user-1", "email": "plain@example.org", "options": said})))
    world.work()
    (export,) = world.store.records.values()
    assert export.options == replace(of_preset(Preset.RAW), columns=("name", "id"), language="fr")
    assert attachment(world.mails[0]).startswith(b"name,id\r\n")


@pytest.mark.parametrize("body", ["-", '{"options": null}', '{"options": {}}'])
def test_a_plain_message_that_chooses_nothing_gets_the_usual_file_of_this_service(body: str) -> None:
    world = World(likes=Likes(languages=("fr",), time_zones=("Europe/Paris",)))
    world.queue.send(Message(body, {"userId": "user-1", "email": "plain@example.org"}))
    world.work()
    (export,) = world.store.records.values()
    assert export.options == Options(language="fr", time_zone="Europe/Paris")


def test_plain_messages_that_choose_different_files_are_two_exports() -> None:
    world = World()
    for columns in (["id", "name"], ["name", "id"]):
        body = {"userId": "user-1", "email": "plain@example.org", "options": {"columns": columns}}
        world.queue.send(Message(json.dumps(body)))
    world.work()
    assert len(world.store.records) == len(world.mails) == 2


def test_what_our_own_messages_say_of_options_counts_for_nothing() -> None:
    world = World()
    export = world.request()
    received = world.queue.receive(0)
    assert received is not None
    message = Message(json.dumps(json.loads(received.message.body) | {"options": {"format": "no such"}}))
    assert world.services.run.find(replace(received, message=message)) == export


def test_a_plain_message_delivered_twice_is_one_export() -> None:
    world = World()
    world.queue.send(Message(json.dumps({"userId": "user-1", "email": "plain@example.org"})))
    world.queue.duplicate()
    world.work()
    assert len(world.store.records) == len(world.mails) == 1


@pytest.mark.parametrize(
    "body, attributes, reason",
    [
        ("not json", {}, "not JSON"),
        ("not json", {"userId": "u", "email": "a@example.org", "exportId": "x"}, "not JSON"),
        ("[1]", {}, "not a JSON object"),
        ('{"version": 2, "userId": "u", "email": "a@example.org"}', {}, "version '2'"),
        ('{"version": true, "userId": "u", "email": "a@example.org"}', {}, "version 'True'"),
        ('{"userId": "u"}', {}, "no email"),
        ('{"email": "a@example.org"}', {}, "no userId"),
        ("{}", {}, "no userId and no email"),
        ('{"userId": "u", "email": "a@example.org", "options": "xlsx"}', {}, "options are not a JSON object"),
        ('{"userId": "u", "email": "a@example.org", "options": {"format": "xlxs"}}', {}, "did you mean 'xlsx'?"),
        ('{"userId": "u", "email": "a@example.org", "options": {"colums": []}}', {}, "did you mean 'columns'?"),
        ('{"userId": "u", "email": "a@example.org", "options": {"columns": ["nmae"]}}', {}, "did you mean 'name'"),
        ('{"userId": 7, "email": "a@example.org"}', {}, "userId is not text"),
        ('{"userId": "u", "email": "a@example.org"}', {"userId": "v"}, "userId differs"),
        ('{"userId": "u", "email": "a@example.org\\r\\nBcc: b@example.org"}', {}, "one plain address"),
        ('{"userId": "u", "email": "a@example.org", "exportId": "none"}', {}, "There is no export none"),
        ("[" * 100_000, {}, "not JSON"),
    ],
)
def test_a_message_nobody_can_act_on_is_a_dead_letter_with_the_reason(
    body: str, attributes: dict[str, str], reason: str
) -> None:
    world = World()
    world.queue.send(Message(body, attributes))
    export = world.request()
    world.work()
    (letter,) = world.dead_letters.letters
    assert reason in letter.message.attributes["reason"]
    assert letter.message.attributes["errorCode"] == "invalid_message"
    assert letter.message.body == body
    assert world.export(export).status is ExportStatus.COMPLETED, "the others go on"


def test_a_message_with_too_much_in_it_still_becomes_a_letter_with_the_reason() -> None:
    world = World()
    strange = {f"x-{n}": "y" for n in range(10)}
    world.queue.send(Message("not json", strange))
    world.queue.send(Message("ü" * 520_000))
    world.work()
    first, second = (letter.message for letter in world.dead_letters.letters)
    assert not strange.keys() & first.attributes.keys()
    assert second.body == "ü" * 500_000
    assert "not JSON" in first.attributes["reason"]
    assert "not JSON" in second.attributes["reason"]


def test_a_message_with_another_address_than_the_record_mails_nobody() -> None:
    world = World()
    export = world.request()
    world.queue.lose_all()
    forged = wake_message(replace(export, email="thief@example.org"))
    world.queue.send(forged)
    world.work()
    assert not world.mails
    assert "another user or address" in world.dead_letters.letters[0].message.attributes["reason"]
