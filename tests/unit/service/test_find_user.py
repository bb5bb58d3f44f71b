"""APIs that know users by ids of their own: found once, by the verified address, in exactly one row that equals it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from memberships_export.domain.errors import MembershipsUnavailable, NothingThere
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.source.asking import User
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.service.operator.check_api import CheckApi
from tests.fakes.shelf import Shelf, profile, shelf_rows
from tests.fakes.world import World
from tests.readers import a_reader

LOOKUP = """
[user]
path = "/customers"
params = { email = "{user.email}" }
rows = "found"
id = "id"
email = "contact.email"
"""
TEXT = profile("cursor") + LOOKUP
ANNA = {"id": "cus_1", "contact": {"email": "member@example.org"}}
OTHER = {"id": "cus_2", "contact": {"email": "another.member@example.org"}}


class Club(Shelf):
    """Has memberships of cus_1; `customers` are what it finds, whatever it was asked for."""

    def __init__(self, *customers: Any) -> None:  # noqa: ANN401  (JSON)
        super().__init__([{**row, "user": "cus_1"} for row in shelf_rows(7)])
        self.customers: list[Any] = list(customers)
        self.fails: Exception | None = None

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        if call.path != "/customers":
            return super().fetch(call, profile)
        self.calls.append(call)
        if self.fails:
            raise self.fails
        return Answer(json.dumps({"found": self.customers}).encode())


def exported(club: Club) -> tuple[World, Export]:
    world = World(source=club, current=a_reader(TEXT), page_size=3)
    export = world.request("user-1")
    world.work()
    return world, world.export(export)


@pytest.mark.parametrize("address", ["member@example.org", "Member@Example.ORG"])
def test_the_user_with_the_address_is_found_among_similar_ones_and_their_rows_are_exported(address: str) -> None:
    club = Club(OTHER, {"id": "cus_1", "contact": {"email": address}}, {"id": "cus_3", "contact": {"email": None}})
    world, done = exported(club)

    assert (done.status, done.member_id, done.user_id) == (ExportStatus.COMPLETED, "cus_1", "user-1")
    assert [(call.path, call.query.partition("&")[0]) for call in club.calls[:2]] == [
        ("/customers", "email=member%40example.org"),
        ("/list", "user=cus_1"),
    ]
    assert len(world.mails) == 1


@pytest.mark.parametrize(
    "customers",
    [
        [],
        [OTHER],
        [ANNA, {**ANNA, "id": "cus_9"}],
        [{"id": "cus_1", "contact": {}}],
        [{"id": "cus_1", "contact": None}],
    ],
    ids=["nobody", "only part of it", "two", "no address", "nothing"],
)
def test_unless_exactly_one_user_has_the_address_nothing_is_asked_for(customers: list[Any]) -> None:
    club = Club(*customers)
    world, done = exported(club)

    assert done.failure
    assert done.failure.code == "unknown_member"
    assert "example.org" not in done.failure.reason
    assert [call.path for call in club.calls] == ["/customers"]
    assert not [mail for mail in world.mails if mail.attachment]


def test_an_api_that_knows_no_such_user_says_so_by_its_status() -> None:
    club = Club()
    club.fails = NothingThere()

    assert getattr(exported(club)[1].failure, "code", None) == "unknown_member"


def test_rows_of_somebody_else_than_who_was_found_are_not_believed() -> None:
    done = exported(Club(ANNA | {"id": "cus_2"}))[1]

    assert done.failure
    assert done.failure.code == "foreign_rows"


def test_a_user_is_looked_up_once_also_when_another_worker_goes_on_and_the_address_has_changed() -> None:
    club = Club(ANNA)
    world = World(source=club, current=a_reader(TEXT), page_size=3)
    export = world.request("user-1")
    world.work_once(should_stop=iter([False, True]).__next__)
    stored = world.export(export)
    world.store.replace(stored, replace(stored, email="new@example.org", earlier_emails=(stored.email,)))
    world.work()

    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.path for call in club.calls].count("/customers") == 1


def test_while_the_lookup_is_away_the_export_waits() -> None:
    club = Club(ANNA)
    club.fails = MembershipsUnavailable()
    world, waiting = exported(club)
    club.fails = None
    world.pass_time()

    assert waiting.status is ExportStatus.WAITING
    assert world.export(waiting).status is ExportStatus.COMPLETED


def test_a_check_looks_the_user_up_and_says_when_there_is_none() -> None:
    seconds = iter(range(10_000)).__next__
    for customers, problems in (((ANNA,), 0), ((OTHER,), 1)):
        check = CheckApi(source=Club(*customers), reader=a_reader(TEXT), page_size=3, seconds=seconds)
        report = check(User("user-1", "member@example.org"))
        assert len(report.problems) == problems
        assert len(report.pages) == (0 if problems else 2)
