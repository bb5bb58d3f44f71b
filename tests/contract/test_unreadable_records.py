"""What every store does with a record that nobody can read: damaged, or of a newer version. The others go on."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from memberships_export.adapters.aws.dynamodb_desk import DynamoDbExportDesk
from memberships_export.adapters.aws.dynamodb_erasures import DynamoDbErasures
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_erasures import SqliteErasures
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.document import write_document
from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export, ExportStatus, Send
from memberships_export.domain.export.tombstone import damaged_tombstone, tombstone_of
from memberships_export.ports import ExportDesk, ExportStore
from tests.contract.conftest import Place
from tests.factories import an_export
from tests.fakes.memory import NOON

DAMAGES: dict[str, Callable[[str], bytes]] = {
    "cut short": lambda text: text[: len(text) // 2].encode(),
    "empty": lambda _: b"",
    "of a newer version": lambda text: json.dumps(json.loads(text) | {"status": "on_the_moon"}).encode(),
    "another type": lambda _: b"[1]",
    "a list in place of a text": lambda text: json.dumps(json.loads(text) | {"email": []}).encode(),
}
NO_TEXT: dict[str, Callable[[str], bytes]] = {"no UTF-8": lambda text: text.encode().replace(b"member", b"\xff\xfe")}


@dataclass(frozen=True)
class Spoilt:
    """A store, what operators see of it, and what spoils a record in it."""

    store: ExportStore
    desk: ExportDesk
    spoil: Callable[[Export, bytes], None]
    rest: Callable[[], list[Any]]


def embedded(place: Place) -> Spoilt:
    def spoil(export: Export, document: bytes) -> None:
        with place.database.transaction() as connection:
            connection.execute(
                "UPDATE exports SET document = CAST(? AS TEXT) WHERE export_id = ?", [document, export.export_id]
            )

    def rest() -> list[Any]:
        tables = ("exports", "addresses", "message_ids")
        return [tuple(row) for table in tables for row in place.database.read(f"SELECT * FROM {table}")]  # noqa: S608

    return Spoilt(SqliteExportStore(place.database, place.clock), SqliteExportDesk(place.database), spoil, rest)


def aws(place: Place, table: str | None = None) -> Spoilt:
    fake = place.aws()
    name = table or fake.new_table()

    def spoil(export: Export, document: bytes) -> None:
        fake.dynamodb.update_item(
            TableName=name,
            Key={"pk": {"S": export.export_id}},
            UpdateExpression="SET document = :document",
            ExpressionAttributeValues={":document": {"S": document.decode()}},
        )

    return Spoilt(
        DynamoDbExportStore(fake.dynamodb, name, place.clock),
        DynamoDbExportDesk(fake.dynamodb, name, place.clock),
        spoil,
        lambda: list(fake.dynamodb.scan(TableName=name)["Items"]),
    )


@pytest.fixture(
    params=[
        *((embedded, name, damage) for name, damage in (DAMAGES | NO_TEXT).items()),
        *((aws, name, damage) for name, damage in DAMAGES.items()),
    ],
    ids=lambda param: f"{param[0].__name__}: {param[1]}",
)
def spoilt(request: pytest.FixtureRequest, place: Place) -> tuple[Spoilt, Export]:
    """A record of user-1 that was mailed once, changed its address, is due, and cannot be read any more."""
    made: Spoilt = request.param[0](place)
    export = made.store.create(an_export(export_id="lost", email="before@example.org", wake_at=NOON))
    changed = replace(
        export,
        email="member@example.org",
        earlier_emails=("before@example.org",),
        sends=(Send(number=1, mailing=1, started_at=NOON, message_id="mail-1"),),
    )
    stored = made.store.replace(export, changed)
    assert stored
    made.spoil(stored, request.param[2](write_document(stored)))
    return made, stored


def others(made: Spoilt, *times: datetime) -> list[Export]:
    return [
        made.store.create(an_export(export_id=f"well-{n}", user_id=f"other-{n}", requested_at=at, wake_at=NOON))
        for n, at in enumerate(times)
    ]


def test_whoever_asks_for_it_is_told_what_is_known(spoilt: tuple[Spoilt, Export]) -> None:
    made, export = spoilt
    with pytest.raises(UnreadableRecord, match="The record of export lost cannot be read") as told:
        made.store.get("lost")
    assert (told.value.user_id, told.value.requested_at) == ("user-1", export.requested_at)
    assert "example.org" not in str(told.value)
    with pytest.raises(UnreadableRecord):
        made.store.create(an_export(export_id="lost"))


def test_lists_leave_it_out_and_say_so(spoilt: tuple[Spoilt, Export], caplog: pytest.LogCaptureFixture) -> None:
    made, _ = spoilt
    (well,) = others(made, NOON - timedelta(minutes=1))
    assert list(made.store.due(NOON, 10)) == [well]
    assert made.store.list_for_user("user-1", 10) == []
    assert caplog.text.count("export=lost event=unreadable_record reason=") == 2
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("make", [embedded, aws])
def test_many_that_nobody_can_read_keep_no_other_from_being_due(place: Place, make: Callable[[Place], Spoilt]) -> None:
    made = make(place)
    for number in range(7):
        lost = made.store.create(
            an_export(export_id=f"lost-{number}", user_id=f"user-{number}", wake_at=NOON - timedelta(hours=1))
        )
        made.spoil(lost, b"{")
    well = others(made, *[NOON] * 3)
    assert [one.export_id for one in made.store.due(NOON, 2)] == [one.export_id for one in well[:2]]
    assert len(made.store.due(NOON, 200)) == 3


def test_operators_find_the_others_and_are_told_which_cannot_be_read(spoilt: tuple[Spoilt, Export]) -> None:
    made, _ = spoilt
    older, newer = others(made, NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))
    found = made.desk.find(Wanted(), 10)
    assert (list(found.exports), list(found.unreadable)) == ([newer, older], ["lost"])
    for wanted in (Wanted(prefix="lost"), Wanted(user_id="user-1"), Wanted(status=ExportStatus.QUEUED)):
        assert list(made.desk.find(wanted, 10).unreadable) == ["lost"]
    assert made.desk.counts(Wanted(user_id="other-1")).counts[0].exports == 1


def test_a_page_of_nothing_but_unreadable_records_does_not_end_the_list(spoilt: tuple[Spoilt, Export]) -> None:
    made, _ = spoilt
    (older,) = others(made, NOON - timedelta(minutes=1))
    seen, after = list[str](), None
    while True:
        page = made.desk.find(Wanted(), 1, after)
        seen += [*page.unreadable, *(export.export_id for export in page.exports)]
        after = page.more
        if after is None:
            break
    assert sorted(set(seen)) == ["lost", older.export_id]


def test_it_is_erased_with_all_that_points_to_it(spoilt: tuple[Spoilt, Export], request: pytest.FixtureRequest) -> None:
    made, _ = spoilt
    assert list(made.store.ids_of_user("user-1")) == ["lost"]
    made.store.erase("lost")
    assert made.store.get("lost") is None
    left = [repr(entry) for entry in made.rest()]
    if "aws" in request.node.name and any(name in request.node.name for name in ("cut short", "empty", "another")):
        left = [entry for entry in left if "'mail#" not in entry and "'address#" not in entry]  # until they expire
    assert left == []


def test_an_erased_one_makes_room_for_the_next(spoilt: tuple[Spoilt, Export]) -> None:
    made, _ = spoilt
    made.store.erase("lost")
    assert made.store.create(an_export(export_id="next")).export_id == "next"


def spoil_in_sqlite(place: Place, _: str) -> None:
    with place.database.transaction() as connection:
        connection.execute("UPDATE tombstones SET document = CAST(x'ff7b' AS TEXT) WHERE export_id = 'lost'")


def spoil_in_table(place: Place, table: str) -> None:
    place.aws().dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "erased#lost"}},
        UpdateExpression="SET tombstone = :nothing",
        ExpressionAttributeValues={":nothing": {"S": "{"}},
    )


@pytest.mark.parametrize("on_aws", [False, True], ids=["embedded", "aws"])
def test_by_a_tombstone_that_cannot_be_read_it_is_still_erased(place: Place, on_aws: bool) -> None:  # noqa: FBT001
    table = place.aws().new_table() if on_aws else ""
    erasures = DynamoDbErasures(place.aws().dynamodb, table) if on_aws else SqliteErasures(place.database)
    well, lost = (erasures.begin(tombstone_of(an_export(export_id=name), "hash", NOON)) for name in ("well", "lost"))
    (spoil_in_table if on_aws else spoil_in_sqlite)(place, table)
    expected = damaged_tombstone("lost", NOON, NOON)
    assert erasures.get("lost") == expected
    assert {one.export_id for one in erasures.due(NOON, 10)} == {"well", "lost"}
    assert len(list(erasures.all())) == 2
    assert erasures.begin(lost) == expected, "it keeps its export away"
    assert erasures.replace(expected, replace(expected, clear_at=None))
    assert list(erasures.due(NOON, 10)) == [well]
