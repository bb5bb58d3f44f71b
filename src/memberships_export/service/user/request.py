"""Accepting an export: the record first, the message second, and never two for one wish."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from memberships_export.domain.errors import ExportError, IdempotencyKeyReused, TransientError, UnknownExport
from memberships_export.domain.export.lifecycle import readdress
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Likes, Options
from memberships_export.domain.mail.address import canonical_address
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Clock, Erasures, ExportQueue, ExportStore, Metrics
from memberships_export.service.choose_options import ChooseOptions
from memberships_export.service.metrics import ACCEPTED, COALESCED, REFUSED, REQUESTED, NoMetrics
from memberships_export.service.record import change
from memberships_export.service.user.callers import checked_user_id

log = logging.getLogger(__name__)
_IDEMPOTENCY_KEYS = UUID("c1d0d5f6-93cb-4a39-8a0e-0f3c8f0f7f3e")  # made once, at random


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An export that a user asks for. User and address come from a token that was checked.

    `said` is what they said about the file: a JSON object as clients send it.
    """

    user_id: str
    email: str
    said: Mapping[str, object] = field(default_factory=dict)
    likes: Likes = Likes()  # of the user, as far as they are known
    idempotency_key: str | None = None
    request_id: str | None = None  # to find it in logs


@dataclass(frozen=True, slots=True)
class Accepted:
    """The export that answers the wish; `created` is false when it was under way already."""

    export: Export
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExport:
    """The use case behind `GET /memberships/export`."""

    choose: ChooseOptions
    store: ExportStore
    erasures: Erasures
    queue: ExportQueue
    clock: Clock
    policy: Policy
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, wish: Wish) -> Accepted:
        """Record the export and wake a worker.

        Raises InvalidUserId, InvalidAddress, InvalidOptions, RateLimited (with the seconds to wait),
        IdempotencyKeyReused. An error of the queue is not one of the request: the sweeper sends what was not sent.
        """
        self.metrics.count(REQUESTED)
        try:
            accepted = self._accept(wish)
        except ExportError as error:
            self.metrics.count(REFUSED, error.code)
            raise
        self.metrics.count(ACCEPTED if accepted.created else COALESCED)
        return accepted

    def _accept(self, wish: Wish) -> Accepted:
        wish = replace(wish, user_id=checked_user_id(wish.user_id), email=canonical_address(wish.email))
        options, now = self.choose(wish.said, wish.likes), self.clock()
        wanted = _record_for(wish, options, now, self.policy)
        if wish.idempotency_key is not None and self.erasures.get(wanted.export_id):
            reason = "The export of this Idempotency-Key was erased: use a new key."
            raise IdempotencyKeyReused(reason)
        stored = self.store.create(wanted, Turn(wish.user_id, now, self.policy.max_exports_per_hour))
        if stored.revision != wanted.revision:  # a twin of this request was first, or an export is under way
            return Accepted(self._joined(_same_options(stored, options), wish), created=False)
        self._wake_worker(stored)
        return Accepted(stored, created=True)

    def _joined(self, export: Export, wish: Wish) -> Export:
        """Answer with an export that is there; it goes to the newest verified address of its user."""
        log.info("export=%s event=joined", export.export_id)
        if export.email == wish.email:
            return export
        with suppress(UnknownExport):  # it is gone since: then nothing goes anywhere
            joined = change(self.store, self.clock(), export, readdress, wish.email)
            if joined.email != export.email:
                log.info("export=%s event=address_changed", export.export_id)
            return joined
        return export

    def _wake_worker(self, export: Export) -> None:
        try:
            self.queue.send(wake_message(export))
        except TransientError as error:
            log.warning("export=%s event=message_not_sent reason=%s", export.export_id, error.reason)
        else:
            log.info("export=%s event=requested", export.export_id)


def _record_for(wish: Wish, options: Options, now: datetime, policy: Policy) -> Export:
    return Export(
        export_id=_export_id(wish),
        revision=uuid4().hex,
        user_id=wish.user_id,
        email=wish.email,
        options=options,
        requested_at=now,
        request_id=wish.request_id,
        wake_at=now + policy.nudge_after,
    )


def _export_id(wish: Wish) -> str:
    """Random, or always the same for the same user and key: so a repeated POST finds its export again."""
    if wish.idempotency_key is None:
        return str(uuid4())
    return str(uuid5(_IDEMPOTENCY_KEYS, f"{len(wish.user_id)}:{wish.user_id}:{wish.idempotency_key}"))


def _same_options(export: Export, options: Options) -> Export:
    if export.options != options:
        reason = "This Idempotency-Key was used before for an export with other options: use a new key."
        raise IdempotencyKeyReused(reason)
    return export
