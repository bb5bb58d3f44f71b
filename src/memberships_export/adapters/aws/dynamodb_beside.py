"""What lies beside a record in the table and points to it: found also where the record itself cannot be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from memberships_export.adapters.aws.dynamodb_item import export_from
from memberships_export.adapters.aws.dynamodb_writes import Delete, drop_former, drop_guard_of, drop_mail
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Preset

if TYPE_CHECKING:
    from memberships_export.adapters.aws.dynamodb_item import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pointed:
    """From where a record is pointed to."""

    message_ids: Sequence[str] = ()
    addresses: Sequence[str] = ()  # that it had before
    options_keys: Sequence[str] = ()


def drop_beside(item: "Item") -> Iterator[Delete]:
    """Delete what points to a record: its mails, its earlier addresses, its guard if that is of this export."""
    export_id, user_id = item["pk"]["S"], item["userId"]["S"]
    try:
        pointed = _pointed_at(export_from(item))
    except UnreadableRecord:
        pointed = _as_far_as_it_can_be_read(item["document"]["S"])
    yield from (drop_mail(message_id, export_id) for message_id in pointed.message_ids)
    yield from (drop_former(address, export_id) for address in pointed.addresses)
    yield from (drop_guard_of(user_id, key, export_id) for key in pointed.options_keys)


def _pointed_at(export: Export) -> _Pointed:
    message_ids = [send.message_id for send in export.sends if send.message_id]
    return _Pointed(message_ids=message_ids, addresses=export.earlier_emails, options_keys=[export.options_key])


def _as_far_as_it_can_be_read(document: str) -> _Pointed:
    """Look for texts in their places. Of the guard it is known for each preset where it would be."""
    presets = [preset.value for preset in Preset]
    try:
        found = msgspec.json.decode(document)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        return _Pointed(options_keys=presets)
    sends = [send for send in _listed(found.get("sends")) if isinstance(send, dict)]
    return _Pointed(
        message_ids=[one for send in sends if isinstance(one := send.get("message_id"), str)],
        addresses=[one for one in _listed(found.get("earlier_emails")) if isinstance(one, str)],
        options_keys=presets,
    )


def _listed(value: Any) -> list[Any]:  # noqa: ANN401  (any JSON)
    return value if isinstance(value, list) else []
