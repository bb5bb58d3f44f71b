"""Changing a record: decide from what is there, write if nobody else did, else decide again."""

from collections.abc import Callable
from datetime import datetime
from typing import Concatenate, ParamSpec

from memberships_export.domain.errors import IllegalTransition, StorageUnavailable, UnknownExport
from memberships_export.domain.export.record import Export
from memberships_export.domain.export.timeline import noted
from memberships_export.ports import ExportStore

_TRIES = 50
P = ParamSpec("P")


def change(
    store: ExportStore,
    now: datetime,
    export: Export,
    decide: Callable[Concatenate[Export, P], Export],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Export:
    """Write what is decided and return the record as stored: `change(store, now, export, cancel, …)`.

    What happened by it is noted on the record. `decide` must be pure: when another writer was faster it is asked again
    about the newer record. What it raises passes through. Raises UnknownExport when the record is gone.
    """
    for _ in range(_TRIES):
        wanted = decide(export, *args, **kwargs)
        if wanted == export:
            return export
        stored = store.replace(export, noted(export, wanted, now))
        if stored is not None:
            return stored
        export = _newer(store, export)
    reason = f"Export {export.export_id} was written by others {_TRIES} times in a row."
    raise StorageUnavailable(reason)


def _newer(store: ExportStore, export: Export) -> Export:
    current = store.get(export.export_id)
    if current is None:
        reason = f"There is no export {export.export_id} any more."
        raise UnknownExport(reason)
    if current.revision == export.revision:
        reason = (
            f"Another export of the same user is under way; export {export.export_id} cannot start again beside it."
        )
        raise IllegalTransition(reason)
    return current
