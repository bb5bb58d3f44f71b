"""Anything may happen in any order; after every step the promises hold, and at the end every export has an end."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from memberships_export.domain.errors import (
    DeliveryUnknown,
    IllegalTransition,
    MembershipsUnavailable,
    RateLimited,
    UnknownExport,
)
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.policy import AfterUnknownSend
from memberships_export.domain.export.record import (
    TERMINAL,
    TRANSITIONS,
    Delivery,
    Evidence,
    Export,
    ExportStatus,
    Owed,
    Send,
)
from memberships_export.domain.formats.options import Options
from memberships_export.domain.mail.intent import parse_send_intent
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.message import Message
from memberships_export.domain.pause import Pause
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import Clock
from memberships_export.service.file_keys import file_folder
from memberships_export.service.mail_events.record_mail_events import MailEvent
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryStore
from tests.fakes.world import World
from tests.life.crashing import Crash, Moments
from tests.life.kinds_of_files import OPTIONS, rows_in

ROWS = 5
USERS = ["user-1", "user-2"]
EDGES = {(before, after) for (before, _), after in TRANSITIONS.items()} | {(s, s) for s in ExportStatus}
ANSWERS = st.sampled_from(["accept", "accept", "refuse", "refuse for good", "too large"])
ADDRESSES = ["member@example.org", "member@example.org", "other@example.org"]
UNCLEAR_ANSWERS = st.sampled_from(["accept silently", "lose silently", "accept doubtfully", "lose doubtfully"])


class WatchedStore(MemoryStore):
    """Checks at every write what must hold between two versions of a record."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.broken: list[Exception] = []
        self._clock = clock

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        """Of those that are due at one time the oldest come first, not by random ids: a run can be repeated."""
        waking = [(export.wake_at, export) for export in self.records.values() if export.wake_at]
        ready = sorted((pair for pair in waking if pair[0] <= now), key=lambda pair: pair[0])
        return [export for _, export in ready[:limit]]

    def replace(self, old: Export, new: Export) -> Export | None:
        stored = super().replace(old, new)
        if stored is not None:
            try:
                self.check_write(old, new)
            except Exception as error:  # for a worker it is trouble that may pass
                self.broken.append(error)
                raise
        return stored

    def check_write(self, old: Export, new: Export) -> None:
        assert (old.status, new.status) in EDGES
        assert new.token >= old.token
        assert new.claims >= old.claims
        assert new.progress.pages >= old.progress.pages or new.progress.pages == 0, "checkpoints are not undone"
        taken_over = new.token > old.token and old.lease is not None
        assert not taken_over or (old.lease and old.lease.until <= self._clock()), "a live worker is left alone"
        assert len(new.sends) >= len(old.sends)
        assert (new.user_id, new.options) == (old.user_id, old.options)
        assert new.email == old.email or not new.current_sends, "no mailing goes to two addresses"


class MailService:
    """What really happened to each mail, whatever the sender was told."""

    def __init__(self) -> None:
        self.accepted: list[Mail] = []
        self.told: set[str] = set()  # intents of accepted mails whose sender got to know
        self.answer = "accept"
        self.handed: list[Mail] = []

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:  # noqa: ARG002  (the port's)
        self.handed.append(mail)
        if self.answer.startswith("accept") and not mail.intent.endswith(":failure"):
            self.accepted.append(mail)
        return {
            "accept": SendResult(evidence=Evidence.ACCEPTED),
            "refuse": SendResult(evidence=Evidence.REFUSED),
            "refuse for good": SendResult(evidence=Evidence.REFUSED, permanent=True),
            "too large": SendResult(evidence=Evidence.REFUSED, too_large=True),
            "accept silently": SendResult(evidence=Evidence.SILENT),
            "lose silently": SendResult(evidence=Evidence.SILENT),
            "accept doubtfully": SendResult(evidence=Evidence.DOUBTFUL),
            "lose doubtfully": SendResult(evidence=Evidence.DOUBTFUL),
        }[self.answer]


class MembershipsThatMayBeDown(ListSource):
    down = False

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        if self.down:
            raise MembershipsUnavailable
        return super().fetch(call, profile)


class LifeOfExports(RuleBasedStateMachine):
    exports = Bundle("exports")
    ends: ClassVar[set[str]] = {
        "mail_refused",
        "no_progress",
        "gave_up_waiting",
        "limit_exceeded",
        DeliveryUnknown.code,
    }

    @initialize(unknown=st.sampled_from(AfterUnknownSend))
    def start(self, unknown: AfterUnknownSend) -> None:
        self.source = self.a_source()
        self.world = World(source=self.source, page_size=2, after_unknown_send=unknown, max_exports_per_hour=50)
        self.store = self.world.store = self.a_store()
        self.service = MailService()
        self.world.mailer.send = self.service.send  # type: ignore[method-assign]
        self.world.services = self.world.over(self.world.ports)
        self.moved_by_hand: set[str] = set()
        self.known: set[str] = set()
        self.wishes = 0
        self.made: dict[str, bytes] = {}

    # --- What users do ------------------------------------------------------------------------------------------------

    @rule(target=exports, user=st.sampled_from(USERS), options=OPTIONS)
    def request(self, user: str, options: Options) -> str:
        return self.ask(user, options)

    def ask(self, user: str, options: Options) -> str:
        self.wishes += 1
        return self.world.request(user, options).export_id

    @rule(export_id=exports)
    def cancel(self, export_id: str) -> None:
        self.quietly(lambda: self.world.services.cancel(export_id, self.user_of(export_id)))

    @rule(export_id=exports)
    def resend(self, export_id: str) -> None:
        self.quietly(lambda: self.world.services.resend(export_id, self.user_of(export_id), "member@example.org"))

    # --- What workers, sweepers and operators do, and may die of ------------------------------------------------------

    @rule(answer=ANSWERS, crash_at=st.none() | st.integers(1, 60), stop_after=st.none() | st.integers(0, 6))
    def work(self, answer: str, crash_at: int | None, stop_after: int | None) -> None:
        self.service.answer = answer
        asked = Counter[str]()

        def should_stop() -> bool:
            asked["times"] += 1
            return stop_after is not None and asked["times"] > stop_after

        self.mortal(Moments(crash_at), should_stop)

    @rule(answer=UNCLEAR_ANSWERS)
    def work_with_an_unclear_send(self, answer: str) -> None:
        self.service.answer = answer
        self.mortal(Moments(None))
        self.service.answer = "accept"

    @rule(pause_at=st.integers(1, 60), answer=ANSWERS, crash_at=st.none() | st.integers(1, 60))
    def work_while_a_stale_worker_stands_still(self, pause_at: int, answer: str, crash_at: int | None) -> None:
        """One worker is stopped past its lease; another takes over, maybe dies; then the first goes on."""

        def meanwhile() -> None:
            self.world.clock.advance(timedelta(minutes=2))
            self.world.services.sweep()
            self.mortal(Moments(crash_at))

        self.service.answer = answer
        self.mortal(Moments(pause_at, meanwhile))

    @rule(crash_at=st.none() | st.integers(1, 12))
    def sweep(self, crash_at: int | None) -> None:
        moments = Moments(crash_at)
        self.may_die(lambda: self.world.over(moments.over(self.world.ports)).sweep())

    @rule(crash_at=st.none() | st.integers(1, 12), at_once=st.booleans())
    def redrive_all(self, crash_at: int | None, at_once: bool) -> None:  # noqa: FBT001
        """Where the queue can move letters by itself, and where it cannot."""
        self.wishes += self.plain_letters()  # what never got a record starts anew, under a new message id
        moments = Moments(crash_at)
        self.world.dead_letters.back_to = self.world.queue if at_once else None
        self.may_die(lambda: list(self.world.over(moments.over(self.world.ports)).redrive.redrive_all(dry_run=False)))

    @rule()
    def letters_are_moved_back_by_hand(self) -> None:
        """The records know nothing of it, so a message that is then lost takes the letter with it."""
        self.moved_by_hand |= {
            letter.message.attributes["exportId"]
            for letter in self.world.dead_letters.letters
            if "exportId" in letter.message.attributes
        }
        self.wishes += self.plain_letters()
        self.world.dead_letters.back_to = self.world.queue
        self.world.dead_letters.move_all()

    @precondition(lambda self: len(self.world.queue.messages) < 8)  # or they double for ever
    @rule(crash_at=st.integers(4, 40))
    def a_worker_dies_and_a_copy_of_its_message_comes_at_once(self, crash_at: int) -> None:
        self.service.answer = "accept"
        self.world.queue.duplicate()
        self.mortal(Moments(crash_at))
        self.mortal(Moments(None))

    @rule(drain=st.booleans())
    def the_service_is_paused(self, drain: bool) -> None:  # noqa: FBT001
        self.world.state.pause(Pause(since=self.world.clock(), by="ops", drain=drain))
        self.mailed_before = len(self.service.handed)

    @rule()
    def the_service_is_resumed(self) -> None:
        self.world.state.resume()

    @rule(pause_at=st.integers(1, 60), drain=st.booleans(), answer=ANSWERS)
    def somebody_pauses_while_a_worker_works(self, pause_at: int, drain: bool, answer: str) -> None:  # noqa: FBT001
        self.service.answer = answer
        self.mortal(Moments(pause_at, lambda: self.the_service_is_paused(drain)))
        self.mailed_before = len(self.service.handed)

    # --- What the world does ------------------------------------------------------------------------------------------

    @rule(by=st.sampled_from([1, 31, 91, 1000, 100_000]))
    def time_passes(self, by: int) -> None:
        self.world.clock.advance(timedelta(seconds=by))

    @rule(down=st.booleans())
    def memberships_api(self, down: bool) -> None:  # noqa: FBT001
        self.source.down = down

    @rule()
    def messages_are_doubled(self) -> None:
        if len(self.world.queue.messages) < 8:
            self.world.queue.duplicate()

    @rule()
    def messages_are_lost(self) -> None:
        self.world.queue.lose_all()

    @rule()
    def somebody_sends_rubbish(self) -> None:
        self.world.queue.send(Message("rubbish"))

    @rule(user=st.sampled_from(USERS), in_body=st.booleans(), address=st.sampled_from(ADDRESSES))
    def a_plain_message(self, user: str, in_body: bool, address: str) -> None:  # noqa: FBT001
        """From a producer that knows no exports; it may name another address than an export that is under way."""
        fields = {"userId": user, "email": address}
        self.wishes += 1
        self.world.queue.send(Message(json.dumps(fields)) if in_body else Message("-", fields))

    @precondition(lambda self: self.service.accepted)
    @rule(which=st.integers(0, 20), delivery=st.sampled_from([None, Delivery.DELIVERED, Delivery.BOUNCED]))
    def mail_event(self, which: int, delivery: Delivery | None) -> None:
        mail = self.service.accepted[which % len(self.service.accepted)]
        parsed = parse_send_intent(mail.intent)
        assert parsed is not None
        fact = SendFact(number=parsed[1], evidence=Evidence.ACCEPTED, delivery=delivery)
        self.world.services.record_mail_events([MailEvent(parsed[0], fact)])

    # --- The promises, after every step -------------------------------------------------------------------------------

    @invariant()
    def no_write_broke_a_promise(self) -> None:
        for error in self.store.broken:
            raise error

    @invariant()
    def nothing_is_mailed_in_a_pause(self) -> None:
        if self.world.state.paused():
            assert len(self.service.handed) == self.mailed_before

    @invariant()
    def no_export_is_left_where_nobody_looks(self) -> None:
        for export in self.records():
            assert export.wake_at is not None, export

    @invariant()
    def a_user_has_one_unfinished_export_of_a_kind(self) -> None:
        kinds = Counter((export.user_id, export.options.key) for export in self.records() if export.unfinished)
        assert all(number == 1 for number in kinds.values())

    @invariant()
    def there_are_no_more_exports_than_wishes(self) -> None:
        self.known |= self.world.store.records.keys()
        assert len(self.known) <= self.wishes

    @invariant()
    def completed_means_accepted(self) -> None:
        accepted = {mail.intent for mail in self.service.accepted}
        for export in self.records():
            if export.status is ExportStatus.COMPLETED:
                current = [send for send in export.sends if send.mailing == export.mailing]
                assert any(f"{export.export_id}:{send.number}" in accepted for send in current)

    @invariant()
    def no_mail_is_sent_twice_but_after_a_send_nobody_could_judge(self) -> None:
        accepted = {mail.intent for mail in self.service.accepted}
        assert len(accepted) == len(self.service.accepted), "an intent is never sent twice"
        for export in self.records():
            known = {f"{export.export_id}:{send.number}" for send in export.sends}
            sent = {mail.intent for mail in self.service.accepted if mail.export_id == export.export_id}
            assert sent <= known, "no byte leaves before its intent is on the record"
            for mailing in range(1, export.mailing + 1):
                self.check_mailing([send for send in export.sends if send.mailing == mailing])

    def check_mailing(self, sends: list[Send]) -> None:
        open_ended = [send for send in sends if send.evidence is not Evidence.REFUSED]
        assert len(open_ended) <= 2, "a send nobody could judge is followed by one more, not by two"
        for number, send in enumerate(sends):
            unjudged = [before for before in sends[:number] if before.evidence is not Evidence.REFUSED]
            assert send.possible_duplicate == bool(unjudged), "what may be a second copy says so"
            for before in unjudged:
                assert send.started_at - before.started_at >= self.world.policy.evidence_wait

    @invariant()
    def every_mail_goes_to_the_recorded_address(self) -> None:
        for mail in self.service.accepted:
            export = self.world.store.records.get(mail.export_id)
            assert mail.to in ADDRESSES
            assert export is None or mail.to in {export.email, *export.earlier_emails}
            current = {f"{mail.export_id}:{send.number}" for send in export.current_sends} if export else {}
            assert export is None or mail.intent not in current or mail.to == export.email

    @invariant()
    def every_mail_has_all_rows(self) -> None:
        for mail in self.service.accepted:
            export = self.world.store.records.get(mail.export_id)
            assert export is None or export.file is None or export.file.rows == ROWS
            if mail.attachment and export:
                assert len(rows_in(mail.attachment.content, export.options)) == ROWS + 1

    @invariant()
    def a_file_that_is_made_again_is_the_same(self) -> None:
        """Whoever got two mails of one export has the same file twice, of whatever kind it is."""
        for key, content in self.world.files.content.items():
            for folder in filter(key.startswith, map(file_folder, self.known)):
                assert self.made.setdefault(folder, content) == content

    @invariant()
    def no_bug_was_met(self) -> None:
        for export in self.records():
            assert not export.trouble or export.trouble.code != "internal_error", export.trouble

    @invariant()
    def a_failed_export_has_a_reason(self) -> None:
        for export in self.records():
            assert (export.failure is not None) == (export.status is ExportStatus.FAILED)

    @invariant()
    def a_failed_export_is_a_dead_letter_or_owes_one(self) -> None:
        letters = {letter.message.attributes.get("exportId") for letter in self.world.dead_letters.letters}
        for export in self.records():
            if export.status is ExportStatus.FAILED and Owed.DEAD_LETTER not in export.owed:
                assert export.export_id in letters | self.moved_by_hand

    def teardown(self) -> None:
        """When all trouble is over, everything comes to an end by itself."""
        if not hasattr(self, "world"):
            return
        self.source.down = False
        self.world.state.resume()
        self.service.answer = "accept"
        self.world.mailer.send = self.service.send  # type: ignore[method-assign]
        for _ in range(12):
            self.world.pass_time(timedelta(minutes=20))
        for export in self.records():
            assert export.status in TERMINAL, export
            assert export.owed == ()
            if export.status is ExportStatus.FAILED:
                assert export.failure is not None
                assert export.failure.code in self.ends
        self.no_mail_is_sent_twice_but_after_a_send_nobody_could_judge()

    # --- Tools --------------------------------------------------------------------------------------------------------

    def a_source(self) -> MembershipsThatMayBeDown:
        rows = [a_membership(n + 1, userId=user) for user in USERS for n in range(ROWS)]
        return MembershipsThatMayBeDown(rows)

    def a_store(self) -> WatchedStore:
        return WatchedStore(self.world.clock)

    def records(self) -> list[Export]:
        return list(self.world.store.records.values())

    def plain_letters(self) -> int:
        return sum("exportId" not in letter.message.attributes for letter in self.world.dead_letters.letters)

    def user_of(self, export_id: str) -> str:
        export = self.world.store.records.get(export_id)
        return export.user_id if export else "nobody"

    def mortal(self, moments: Moments, should_stop: Callable[[], bool] = lambda: False) -> None:
        """A worker takes one message; when it dies, the message comes back by its visibility timeout."""
        services = self.world.over(moments.over(self.world.ports))
        self.may_die(lambda: self.world.work_once(services, should_stop))

    def may_die(self, action: Callable[[], object]) -> None:
        with suppress(Crash):
            action()

    def quietly(self, action: Callable[[], object]) -> None:
        with suppress(IllegalTransition, RateLimited, UnknownExport):
            action()


TestLifeOfExports = LifeOfExports.TestCase
TestLifeOfExports.settings = settings(max_examples=150, stateful_step_count=40)
