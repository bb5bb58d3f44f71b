"""Which export a message is about: a plain message gets a record, a moved letter a redrive, nonsense a dead letter."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from memberships_export.domain.errors import IllegalTransition, InvalidMessage, InvalidOptions, UnknownExport
from memberships_export.domain.export.delivery import back_on_its_way
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Options
from memberships_export.domain.ids import is_request_id
from memberships_export.domain.messages.letters import invalid_letter, is_letter_about
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.messages.wake import Wake, parse_message
from memberships_export.ports import Clock, DeadLetters, Erasures, ExportStore
from memberships_export.service.choose_options import ChooseOptions
from memberships_export.service.record import change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindExport:
    """Turns a message of the queue into the record it is about."""

    choose: ChooseOptions
    store: ExportStore
    erasures: Erasures
    dead_letters: DeadLetters
    clock: Clock
    policy: Policy

    def __call__(self, received: Received) -> Export | None:
        """Return the export as its record is now; None when there is nothing left to do about the message."""
        try:
            export = self._export_for(parse_message(received.message, received.message_id), received.message_id)
        except InvalidMessage as error:
            self.dead_letters.add(invalid_letter(error, received, self.clock()))
            log.warning("message=%s event=dead_letter reason=%s", received.message_id, error.reason)
            return None
        if export is not None and export.failure and is_letter_about(received.message, export.failure):
            return self._taken_back(export, received.message)
        return export

    def _export_for(self, wake: Wake, message_id: str) -> Export | None:
        """Find the record; a plain message gets one. The record's address is the one that counts.

        None for an export that was erased, and when the user of a plain message has another export like it, to this
        address, under way: that one brings the file. Raises InvalidMessage.
        """
        export = self.store.get(wake.export_id)
        if export is None and self.erasures.get(wake.export_id):
            log.info("export=%s event=message_of_erased", wake.export_id)
            return None
        if export is None and wake.plain:
            export = self.store.create(self._record_for(wake, message_id))
            if export.export_id != wake.export_id and export.email == wake.email:
                return None
        if export is None:
            reason = f"There is no export {wake.export_id}."
            raise InvalidMessage(reason)
        if not wake.is_for(export):
            reason = f"The message names another user or address than export {export.export_id}."
            raise InvalidMessage(reason)
        return export

    def _record_for(self, wake: Wake, message_id: str) -> Export:
        """Make the record of a plain message: what its producer knows it by names it in logs."""
        record = _record_for(wake, self._options(wake), self.clock(), self.policy)
        return replace(record, request_id=message_id) if is_request_id(message_id) else record

    def _options(self, wake: Wake) -> Options:
        try:
            return self.choose(wake.said)
        except InvalidOptions as error:
            raise InvalidMessage(f"The message's options cannot be had. {error.reason}") from error

    def _taken_back(self, export: Export, letter: Message) -> Export | None:
        """Redrive an export whose dead letter was moved back to the queue; None: the letter has to stay one."""
        try:
            export = change(self.store, self.clock(), export, self._redriven, letter)
        except (IllegalTransition, UnknownExport) as error:
            self.dead_letters.add(letter)
            log.warning("export=%s event=not_redriven reason=%s", export.export_id, error.reason)
            return None
        log.info("export=%s event=redrive outcome=redriven", export.export_id)
        return export

    def _redriven(self, export: Export, letter: Message) -> Export:
        """Decide by the record as it is when it is written: about a later failure this letter says nothing."""
        if export.failure is None or not is_letter_about(letter, export.failure):
            return export
        return back_on_its_way(export, self.clock(), self.policy)


def _record_for(wake: Wake, options: Options, now: datetime, policy: Policy) -> Export:
    return Export(
        export_id=wake.export_id,
        user_id=wake.user_id,
        email=wake.email,
        options=options,
        requested_at=now,
        wake_at=now + policy.nudge_after,
    )
