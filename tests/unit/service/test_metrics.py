"""What use cases count: once for each thing that happened, and never a word about whom."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.errors import ExportError, PermanentError, TransientError, UnreadableRecord
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, ExportStatus
from memberships_export.domain.metric import OTHER, Kind
from memberships_export.domain.pause import Pause
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.metrics import CATALOGUE, FAILED, FAILURES, RETRIES, TROUBLES
from memberships_export.service.user.request import Wish
from tests.fakes.numbers import Numbers
from tests.fakes.world import ACCEPTED, DOUBTFUL, REFUSED_FOR_GOOD, World


def counting(world: World) -> Numbers:
    numbers = Numbers()
    world.services = world.over(replace(world.ports, metrics=numbers))
    return numbers


def codes_of(kind: type[ExportError]) -> set[str]:
    return {kind.code} | {code for child in kind.__subclasses__() for code in codes_of(child)}


def test_an_export_is_counted_from_its_request_to_its_mail() -> None:
    world = World(rows=7)
    numbers = counting(world)

    export = world.request()
    world.clock.advance(timedelta(seconds=30))
    world.work()

    file = world.export(export).file
    assert file is not None
    assert numbers.counted == {
        ("requested_total", ""): 1,
        ("accepted_total", ""): 1,
        ("rows_total", ""): 7,
        ("bytes_total", ""): file.bytes,
        ("sends_total", "accepted"): 1,
        ("finished_total", "completed"): 1,
    }
    assert numbers.observed["export_seconds", ""] == [30.0]
    assert {label for name, label in numbers.observed if name == "stage_seconds"} == {"fetch", "render", "deliver"}


def test_a_request_that_joins_another_is_counted_apart() -> None:
    world = World()
    numbers = counting(world)

    world.request()
    world.request()

    assert (numbers.counted["accepted_total", ""], numbers.counted["coalesced_total", ""]) == (1, 1)


@pytest.mark.parametrize(
    "wish, reason",
    [
        (Wish(user_id="user-1", email="nobody"), "invalid_address"),
        (Wish(user_id="", email="member@example.org"), "invalid_user_id"),
        (Wish(user_id="user-1", email="member@example.org", said={"format": "pdf"}), "invalid_options"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_request_is_counted_by_its_code(wish: Wish, reason: str) -> None:
    world = World()
    numbers = counting(world)

    with pytest.raises(ExportError):
        world.services.request(wish)

    assert numbers.counted == {("requested_total", ""): 1, ("refused_total", reason): 1}


def test_a_failure_is_counted_by_its_code_with_its_letter() -> None:
    world = World(mails=[REFUSED_FOR_GOOD])
    numbers = counting(world)

    world.request()
    world.work()

    assert numbers.counted["finished_total", "failed"] == 1
    assert numbers.counted["failures_total", "mail_refused"] == 1
    assert numbers.counted["letters_total", ""] == 1
    assert numbers.counted["sends_total", "refused"] == 1


def test_an_export_that_waits_is_counted_each_time_by_the_code_of_its_trouble() -> None:
    world = World(mails=[DOUBTFUL, ACCEPTED])
    numbers = counting(world)

    world.request()
    world.work()

    assert numbers.counted["sends_total", "doubtful"] == 1
    assert numbers.counted["retries_total", "delivery_unconfirmed"] == 0, "it waits for proof, and tries nothing again"


def test_a_bug_is_counted_as_an_error_and_as_a_wait() -> None:
    def broken(_: object) -> Any:  # noqa: ANN401  (it never returns)
        raise ZeroDivisionError

    world = World(mails=[broken])
    numbers = counting(world)

    world.request()
    world.work()

    assert numbers.counted["internal_errors_total", ""] == 1
    assert numbers.counted["retries_total", "internal_error"] == 1


def test_what_the_mail_service_tells_is_counted_once_however_often_it_tells_it() -> None:
    world = World()
    numbers = counting(world)
    export = world.request()
    world.work()
    bounced = MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED))

    world.services.record_mail_events([bounced, bounced])

    assert numbers.counted["deliveries_total", "bounced"] == 1
    assert numbers.counted["finished_total", "completed"] == 1


def test_proof_that_arrives_late_completes_an_export_and_is_counted() -> None:
    world = World(mails=[DOUBTFUL])
    numbers = counting(world)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING

    fact = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED)
    world.services.record_mail_events([MailEvent(export.export_id, fact)])

    assert numbers.counted["finished_total", "completed"] == 1


def test_a_cancelled_export_is_counted() -> None:
    world = World()
    numbers = counting(world)
    export = world.request()

    world.services.cancel(export.export_id, "user-1")

    assert numbers.counted["finished_total", "cancelled"] == 1


def test_a_pass_of_the_sweeper_is_counted_with_what_it_did_and_the_oldest_that_it_saw() -> None:
    world = World()
    numbers = counting(world)
    world.request()
    world.clock.advance(timedelta(minutes=20))

    world.services.sweep()

    assert numbers.counted["sweeps_total", ""] == 1
    assert sum(times for (name, _), times in numbers.counted.items() if name == "sweeper_visits_total") == 1
    assert numbers.levels["oldest_unfinished_seconds", ""] == 1200.0
    assert numbers.levels["paused", ""] == 0
    world.state.pause(Pause(since=world.clock(), by="ops"))
    world.services.sweep()
    assert numbers.levels["paused", ""] == 1


def test_without_metrics_everything_works_as_before() -> None:
    world = World()
    export = world.request()
    world.work()

    assert world.export(export).status is ExportStatus.COMPLETED


# --- The catalogue ----------------------------------------------------------------------------------------------------


def test_every_trouble_and_every_failure_has_its_value() -> None:
    waits = codes_of(TransientError) - {TransientError.code, UnreadableRecord.code}  # no record says that of itself
    ends = codes_of(PermanentError) - {PermanentError.code, "invalid_message"}  # that one has no export

    assert waits - {"mail_service_unavailable"} <= {*TROUBLES, "forged_events"}, "service/metrics.py: name it"
    assert ends <= set(FAILURES), "service/metrics.py: name it"


def test_what_is_not_in_the_catalogue_is_counted_as_other() -> None:
    assert RETRIES.known("a code of tomorrow") == OTHER
    assert FAILED.known("foreign_rows") == "foreign_rows"


def test_the_names_are_those_that_prometheus_wants() -> None:
    for metric in CATALOGUE:
        assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER), metric.name
        assert metric.name.replace("_", "").isalpha(), metric.name
        assert (metric.kind is Kind.HISTOGRAM) is bool(metric.buckets), metric.name
        assert bool(metric.label) is bool(metric.values), metric.name
        assert metric.unit in metric.name, metric.name


def test_no_label_can_hold_a_user_an_export_or_a_text_of_others() -> None:
    assert {metric.label for metric in CATALOGUE} <= {
        *("", "reason", "outcome", "cause", "stage", "evidence", "delivery", "action", "status")
    }
    assert sum(len(metric.shown) for metric in CATALOGUE) < 120
