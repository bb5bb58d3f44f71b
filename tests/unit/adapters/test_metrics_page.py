"""What /metrics says, read as Prometheus reads it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from memberships_export.adapters.embedded.counts import Counts
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.levels import DatabaseLevels
from memberships_export.adapters.embedded.service_state import SqliteServiceState
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.bootstrap import metrics_page as module
from memberships_export.bootstrap.metrics_page import MetricsPage
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import ExportStatus, Trouble
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.domain.metric import Level
from memberships_export.domain.pause import Pause
from memberships_export.service.metrics import CATALOGUE, EXPORT_SECONDS, FINISHED, REQUESTED, WAITING
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock

Samples = dict[tuple[str, str], float]


def samples_of(page: MetricsPage) -> Samples:
    """Return the samples without the buckets of histograms: name and value of the label."""
    text, content_type = page("")
    assert content_type.startswith("text/plain; version=")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    return Counts(tmp_path / "metrics")


def page_over(counts: Counts, tmp_path: Path, levels: Sequence[Level] = ()) -> MetricsPage:
    return MetricsPage(counts, lambda: levels, tmp_path / "metrics" / "answering.lock")


def test_every_metric_of_the_catalogue_is_there_from_the_first_scrape(counts: Counts, tmp_path: Path) -> None:
    page = page_over(counts, tmp_path, [Level(metric, 0.0, metric.shown[0]) for metric in CATALOGUE])
    page.refresh()
    families = {family.name: family for family in text_string_to_metric_families(page("")[0].decode())}

    assert set(families) == {f"memberships_export_{metric.name.removesuffix('_total')}" for metric in CATALOGUE}
    for metric in CATALOGUE:
        family = families[f"memberships_export_{metric.name.removesuffix('_total')}"]
        assert (family.type, family.documentation) == (metric.kind.value, metric.meaning)


def test_counters_and_histograms_are_read_as_they_were_counted(counts: Counts, tmp_path: Path) -> None:
    counts.count(REQUESTED)
    counts.count(FINISHED, "failed", 3)
    counts.observe(EXPORT_SECONDS, 4.0)
    counts.observe(EXPORT_SECONDS, 400.0)
    page = page_over(counts, tmp_path)

    found = samples_of(page)
    buckets = {
        sample.labels["le"]: sample.value
        for family in text_string_to_metric_families(page("")[0].decode())
        for sample in family.samples
        if sample.name == "memberships_export_export_seconds_bucket"
    }

    assert found["memberships_export_requested_total", ""] == 1
    assert found["memberships_export_finished_total", "failed"] == 3
    assert found["memberships_export_finished_total", "completed"] == 0
    assert found["memberships_export_export_seconds_count", ""] == 2
    assert found["memberships_export_export_seconds_sum", ""] == 404.0
    assert (buckets["2.0"], buckets["5.0"], buckets["300.0"], buckets["900.0"], buckets["+Inf"]) == (0, 1, 1, 2, 2)


def test_who_asks_for_open_metrics_gets_it(counts: Counts, tmp_path: Path) -> None:
    counts.count(REQUESTED)
    text, content_type = page_over(counts, tmp_path)("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
    assert "memberships_export_requested" in {family.name for family in open_metrics(text.decode())}


def test_a_store_that_is_away_leaves_what_is_known_and_says_so_when_it_is_old(
    counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, away = [1000.0], list[bool]()
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    def levels() -> Sequence[Level]:
        if away:
            raise StorageUnavailable("The disk is gone.")
        return [Level(WAITING, 5.0, "memberships_unavailable")]

    page = MetricsPage(counts, levels, tmp_path / "metrics" / "answering.lock")
    assert samples_of(page)["memberships_export_store_up", ""] == 0, "nothing was read yet"
    page.refresh()
    assert samples_of(page)["memberships_export_store_up", ""] == 1

    away.append(True)
    for _ in range(4):
        now[0] += 10
        page.refresh()

    found = samples_of(page)
    assert found["memberships_export_store_up", ""] == 0
    assert found["memberships_export_waiting_exports", "memberships_unavailable"] == 5
    assert caplog.text.count("event=metrics_unread") == 1, "told once, not every five seconds"


def test_one_page_at_a_time_has_the_right_to_answer(counts: Counts, tmp_path: Path) -> None:
    first, second = page_over(counts, tmp_path), page_over(counts, tmp_path)

    assert (first.take_turn(), first.take_turn(), second.take_turn()) == (True, True, False)
    first.give_up_turn()
    assert second.take_turn()
    second.give_up_turn()


# --- The gauges of the database ---------------------------------------------------------------------------------------


def levels_of(database: Database, clock: FakeClock) -> Samples:
    return {(level.metric.name, level.label): level.value for level in DatabaseLevels(database, clock)() if level.value}


def test_an_empty_database_has_nothing_that_waits(tmp_path: Path) -> None:
    assert levels_of(Database(tmp_path / "exports.db"), FakeClock()) == {}


def test_gauges_tell_what_lies_in_the_store_by_status_and_by_cause(tmp_path: Path) -> None:
    clock = FakeClock()
    database = Database(tmp_path / "exports.db")
    store = SqliteExportStore(database, clock)
    trouble = Trouble(code="memberships_unavailable", reason="503", since=clock(), count=1)
    for number, (status, cause) in enumerate(
        [("queued", None), ("running", trouble), ("waiting", trouble), ("waiting", trouble)]
    ):
        store.create(
            replace(
                an_export(export_id=f"e-{number}", user_id=f"user-{number}"),
                status=ExportStatus(status),
                trouble=cause,
                requested_at=clock() - timedelta(seconds=10 * number),
            )
        )
    store.create(
        replace(
            an_export(export_id="done", user_id="user-9", requested_at=REQUESTED_AT - timedelta(days=9)),
            status=ExportStatus.COMPLETED,
        )
    )
    strange = replace(trouble, code="a code\nof tomorrow")
    store.create(replace(an_export(export_id="x", user_id="x"), status=ExportStatus.WAITING, trouble=strange))

    found = levels_of(database, clock)

    assert found["unfinished_exports", "waiting"] == 3
    assert (found["unfinished_exports", "queued"], found["unfinished_exports", "running"]) == (1, 1)
    assert found["waiting_exports", "memberships_unavailable"] == 2, "what runs again does not wait"
    assert found["waiting_exports", "other"] == 1
    assert found["oldest_unfinished_seconds", ""] >= 30


def test_a_gauge_tells_whether_the_service_is_paused(tmp_path: Path) -> None:
    clock, database = FakeClock(), Database(tmp_path / "exports.db")
    state = SqliteServiceState(database)

    assert ("paused", "") not in levels_of(database, clock)
    state.pause(Pause(since=clock(), by="ops"))
    assert levels_of(database, clock)["paused", ""] == 1
    state.resume()
    assert ("paused", "") not in levels_of(database, clock)


def test_gauges_tell_how_many_messages_wait_and_since_when(tmp_path: Path) -> None:
    clock = FakeClock()
    database = Database(tmp_path / "exports.db")
    queue = SqliteExportQueue(database, clock=clock, visibility=timedelta(minutes=1), max_receives=5)
    queue.send(wake_message(an_export(export_id="one", user_id="1")))
    clock.advance(timedelta(seconds=40))
    queue.send(wake_message(an_export(export_id="two", user_id="2")))
    clock.advance(timedelta(seconds=20))

    found = levels_of(database, clock)
    assert (found["queue_messages", ""], found["queue_age_seconds", ""]) == (2, 60)

    queue.receive(0)
    found = levels_of(database, clock)
    assert (found["queue_messages", ""], found["queue_age_seconds", ""]) == (1, 20), "one is in a worker's hand"


def test_gauges_tell_how_many_letters_there_are(tmp_path: Path) -> None:
    clock, database = FakeClock(), Database(tmp_path / "exports.db")
    letters = SqliteDeadLetters(database, clock=clock)
    letters.add(Message("{}", {}))
    letters.add(Message("{}", {}))

    assert levels_of(database, clock) == {("dead_letters", ""): 2}
