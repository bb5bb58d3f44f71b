"""Which exports an operator means: the options of `exports list`, read from what was typed."""

import re
from datetime import UTC, datetime, timedelta

from memberships_export.domain import errors
from memberships_export.domain.errors import InvalidAddress, PermanentError, TransientError
from memberships_export.domain.export.finding import Place
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.problems import nearest, shown
from memberships_export.domain.mail.address import canonical_address
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.output import masked

_AGO = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SINCE = "Say a time ago, such as 30m, 24h or 7d, or a date such as 2026-03-01 or 2026-03-01T12:00+01:00."


def status_of(typed: str | None) -> ExportStatus | None:
    """Read a status. Raises WrongUsage with the one that was perhaps meant."""
    return None if typed is None else ExportStatus(_one_of(typed, list(ExportStatus), "status"))


def code_of(typed: str | None) -> str | None:
    """Read the code of a trouble or failure. Raises WrongUsage with the one that was perhaps meant."""
    return None if typed is None else _one_of(typed, known_codes(), "code")


def address_of(typed: str | None) -> str | None:
    """Read an address in the spelling that records have. Raises WrongUsage."""
    try:
        return None if typed is None else canonical_address(typed.strip())
    except InvalidAddress as error:
        raise WrongUsage(f"--email: {error.reason}") from error


def since_of(typed: str | None, now: datetime) -> datetime | None:
    """Read a moment, or how long ago it was. Times without a zone are UTC. Raises WrongUsage."""
    if typed is None:
        return None
    try:
        if ago := _AGO.fullmatch(typed):
            return now - int(ago["count"]) * _UNITS[ago["unit"]]
        moment = datetime.fromisoformat(typed)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongUsage(f"--since {_safe(typed)} is no moment. {_SINCE}") from error


def place_of(typed: str | None) -> Place | None:
    """Read where to go on, as an earlier list told. Raises WrongUsage."""
    if typed is None:
        return None
    at, slash, export_id = typed.partition("/")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        slash = ""
    if not slash or not export_id or moment.tzinfo is None:
        raise WrongUsage(f"--after {_safe(typed)} is no place in a list: copy it from the end of the list before.")
    return Place(moment, export_id)


def place_text(place: Place) -> str:
    """Write where to go on."""
    return f"{place.at.isoformat()}/{place.export_id}"


def known_codes() -> list[str]:
    """Return the codes that an export can wait or fail with."""
    families = (TransientError, PermanentError)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return sorted({kind.code for kind in kinds if issubclass(kind, families) and kind not in families})


def _one_of(typed: str, known: list[str], what: str) -> str:
    if typed.lower() in known:
        return typed.lower()
    near = " or ".join(nearest(typed, known))
    meant = f" Did you mean {near}?" if near else ""
    raise WrongUsage(f"--{what} {_safe(typed)} is not known.{meant} There are: {', '.join(known)}.")


def _safe(typed: str) -> str:
    return str(masked(shown(typed)))
