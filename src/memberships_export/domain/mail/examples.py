"""Made-up mails, to be looked at before a member gets one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from memberships_export.domain.errors import GaveUpWaiting
from memberships_export.domain.export.record import Export, Failure, Stage, StoredFile
from memberships_export.domain.formats.options import Format, Options
from memberships_export.domain.mail.facts import Facts, Failed, Ready, failed, ready

EVENTS = (Ready.event, Failed.event)
_ASKED_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_LINK = "https://exports.example.org/memberships/exports/3f0c2a6e-5b1d-4c8e-9a77-2d4f6b8e1c05/download/EXAMPLE"


def example(event: str, options: Options, *, linked: bool = False) -> Facts:
    """Return what an example of a mail tells. `linked`: the file is behind a link, which leads nowhere.

    Raises KeyError for what is no event.
    """
    export = Export(
        export_id="3f0c2a6e-5b1d-4c8e-9a77-2d4f6b8e1c05",
        user_id="user-1",
        email="member@example.org",
        requested_at=_ASKED_AT,
        options=options,
    )
    if event == Ready.event:
        return _ready(export, linked=linked)
    if event == Failed.event:
        return _failed(export)
    raise KeyError(event)


def _ready(export: Export, *, linked: bool) -> Ready:
    options = export.options
    file = StoredFile(
        key="files/example",
        name=f"memberships-{_ASKED_AT:%Y-%m-%d}.{options.format}",
        rows=1234,
        bytes=456_789,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        expires_at=_ASKED_AT + timedelta(days=7),
        guarded=2 if options.format is Format.CSV and options.guard else 0,
    )
    return ready(replace(export, file=file), link=_LINK if linked else None, possible_duplicate=False)


def _failed(export: Export) -> Failed:
    stopped = _ASKED_AT + timedelta(days=1)
    failure = Failure(stage=Stage.FETCH, code=GaveUpWaiting.code, reason="It is an example.", at=stopped)
    return failed(replace(export, failure=failure))
