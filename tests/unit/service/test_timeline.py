"""What happened to an export, as its record tells it."""

from datetime import timedelta

from memberships_export.domain.errors import MembershipsUnavailable
from memberships_export.domain.export.record import Entry, Export, Happened, StoredFile
from memberships_export.domain.export.timeline import MOST, downloaded, noted
from memberships_export.domain.export.timeline_words import WORDS, in_words
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.world import REFUSED_FOR_GOOD, REFUSED_FOR_NOW, World


def told(export: Export) -> list[str]:
    return [f"{entry.what} {entry.detail}".strip() for entry in export.timeline]


def file_bytes(export: Export) -> int:
    assert export.file is not None
    return export.file.bytes


def test_an_export_that_goes_well_tells_each_step_once() -> None:
    world = World(7)
    export = world.request()
    world.work()
    done = world.export(export)
    assert told(done) == [
        "claimed 1",
        "pages 3",
        "fetched 7",
        f"rendered {file_bytes(done)}",
        "sending 1",
        "evidence 1 accepted",
        "delivery 1 accepted",
        "completed",
    ]


def test_what_happened_is_timed_from_the_request_on() -> None:
    world = World(1)
    export = world.request()
    world.clock.advance(timedelta(seconds=2.5))
    world.work()
    assert {entry.after for entry in world.export(export).timeline} == {2500}


def test_each_wait_tells_what_it_waits_for_and_each_worker_its_token() -> None:
    world = World(1, mails=[REFUSED_FOR_NOW])
    world.source.before = {1: MembershipsUnavailable()}
    export = world.request()
    world.work()
    world.pass_time(steps=3)
    assert told(world.export(export)) == [
        "claimed 1",
        "waiting memberships_unavailable",
        "claimed 2",
        "pages 1",
        "fetched 1",
        f"rendered {file_bytes(world.export(export))}",
        "sending 1",
        "evidence 1 refused",
        "waiting mail_refused_for_now",
        "claimed 3",
        "sending 2",
        "evidence 2 accepted",
        "delivery 2 accepted",
        "completed",
    ]


def test_failures_redrives_resends_and_cancels_are_told() -> None:
    world = World(1, mails=[REFUSED_FOR_GOOD])
    export = world.request()
    world.work()
    desk = world.services.redrive
    list(desk.redrive(desk.letters(), dry_run=False))
    world.work()
    world.services.resend(export.export_id, "user-1", "member@example.org")
    world.services.cancel(export.export_id, "user-1")
    steps = told(world.export(export))
    assert [step for step in steps if step.split()[0] in {"failed", "redriven", "completed", "resent"}] == [
        "failed mail_refused",
        "redriven",
        "completed",
        "resent",
        "completed",  # only the resend was called off
    ]


def test_a_file_that_was_deleted_is_told_once() -> None:
    world = World(1)
    export = world.request()
    world.work()
    world.pass_time(timedelta(days=8), steps=2)
    assert told(world.export(export)).count("file_gone") == 1


def test_what_changes_nothing_to_tell_leaves_the_record_as_it_is() -> None:
    export = an_export()
    assert noted(export, export, REQUESTED_AT) is export


def test_the_list_is_bounded_and_keeps_its_beginning_and_its_end() -> None:
    export = an_export()
    for walk in range(1, 200):
        further = an_export(progress=Progress(walk=walk), timeline=export.timeline)
        export = noted(export, further, REQUESTED_AT + timedelta(seconds=walk))
    assert len(export.timeline) == MOST
    assert export.timeline[0] == Entry(1000, Happened.WALK_AGAIN, "1")
    assert export.timeline[-1] == Entry(199_000, Happened.WALK_AGAIN, "199")
    assert [int(entry.detail) for entry in export.timeline] == sorted(int(entry.detail) for entry in export.timeline)


def test_a_file_made_anew_is_told_and_one_that_only_goes_is_not() -> None:
    file = StoredFile(key="k", name="n", rows=1, bytes=5, sha256="0", expires_at=REQUESTED_AT)
    made = noted(an_export(export_id="e"), an_export(export_id="e", file=file), REQUESTED_AT)
    assert told(made) == ["rendered 5"]


def test_downloads_are_told_once_a_minute_at_most() -> None:
    export, at = an_export(), REQUESTED_AT
    for seconds in (1, 2, 60, 61, 62):
        export = downloaded(export, at + timedelta(seconds=seconds), "link")
    assert [(entry.after, entry.detail) for entry in export.timeline] == [(1_000, "link"), (61_000, "link")]


def test_many_downloads_do_not_take_the_place_of_what_happened_before() -> None:
    export = an_export(timeline=tuple(Entry(number, Happened.SENDING, str(number)) for number in range(50)))
    for minutes in range(1, 500):
        export = downloaded(export, REQUESTED_AT + timedelta(minutes=minutes), "token")
    assert [entry.what for entry in export.timeline] == [Happened.SENDING] * 50 + [Happened.DOWNLOADED] * 2
    assert export.timeline[-1].after == 499 * 60_000


def test_everything_that_happens_has_words() -> None:
    assert set(WORDS) == set(Happened)
    assert in_words("evidence", "2 silent") == "mail 2: the answer of the mail service was silent"


def test_what_a_newer_version_tells_is_shown_as_it_is() -> None:
    assert in_words("teleported", "3") == "teleported 3"
    assert in_words("evidence", "") == "evidence"
    assert in_words("failed", "{0.__class__}") == "failed: {0.__class__}"
