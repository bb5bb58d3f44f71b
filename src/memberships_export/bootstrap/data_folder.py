"""The data folder of one machine as a whole: copied, put back, looked at. On AWS there is none."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from memberships_export.adapters.embedded.backup import making, restoring
from memberships_export.adapters.embedded.backup.manifest import Manifest
from memberships_export.adapters.embedded.backup.restoring import Restored
from memberships_export.adapters.embedded.doctor import folder_checks, record_checks
from memberships_export.adapters.embedded.doctor.finding import Check, Finding, checked
from memberships_export.bootstrap.backend import connect, erasing_desk, operator_origin
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.audit import Action
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.service.auditing import audit_of
from memberships_export.settings import Settings
from memberships_export.settings.doubts import doubts_about
from memberships_export.version import VERSION

__all__ = ["Check", "Manifest", "Restored", "erase_again", "examine", "look_at_backup", "make_backup", "restore"]

Told = Callable[[int, int], None]


def make_backup(settings: Settings, folder: Path, told: Told) -> Manifest:
    """Copy the data folder of the settings, which may be in use, and note that. Raises StorageUnavailable."""
    backup = making.Backup(data=settings.data_dir, folder=folder, program=VERSION, at=utc_now())
    with audit_of(connect(settings, None)).noting(operator_origin(settings), Action.BACKUP_MADE) as noted:
        made = making.make_backup(backup, told)
        noted.detail = f"exports={made.exports}"
    return made


def look_at_backup(backup: Path, data: Path) -> Manifest:
    """Return what would be restored. Raises StorageUnavailable when it cannot be, as far as a look can tell."""
    manifest = restoring.check_backup(backup)
    restoring.check_target(data)
    return manifest


def restore(settings: Settings, backup: Path, data: Path, told: Told) -> Restored:
    """Put a backup in place of a data folder that is not there yet, or empty. Raises StorageUnavailable."""
    return restoring.restore(backup, data, utc_now(), told, origin=operator_origin(settings))


def erase_again(settings: Settings, data: Path, tombstones: Sequence[Tombstone]) -> int:
    """Erase in a restored data folder what was erased since its backup; return how many exports."""
    desk = erasing_desk(replace(settings, data_dir=data))
    return len(desk.again(tombstones, operator_origin(settings)).exports)


def examine(settings: Settings, wrong: Sequence[str]) -> list[Check]:
    """Look at everything, change nothing. `wrong`: settings that keep the service from starting."""
    data, database = settings.data_dir, settings.data_dir / "exports.db"
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "settings": lambda: _about_settings(settings, wrong),
        "permissions": lambda: folder_checks.permissions(data),
        "space": lambda: folder_checks.space(data),
        "restore": lambda: folder_checks.restores(data),
        "schema": lambda: record_checks.schema(database),
        "integrity": lambda: _integrity(data),
        "clock": lambda: record_checks.clock(database, utc_now()),
        "records": lambda: record_checks.unreadable(data),
        "files": lambda: _files(data),
        "processes": lambda: folder_checks.processes(data),
        "secrets": lambda: folder_checks.secrets(data, _secrets_kept_here(settings)),
        "outbox": lambda: folder_checks.outbox(data) if settings.mailer == "outbox" else iter(()),
    }
    return [checked(name, look) for name, look in looks.items()]


def _about_settings(settings: Settings, wrong: Iterable[str]) -> Iterator[Finding]:
    for text in wrong:
        yield Finding(text, "the service does not start until this is right")
    for text in doubts_about(settings):
        what, _, fix = text.rstrip(".").rpartition(". ")
        yield Finding(what, fix)


def _integrity(data: Path) -> Iterator[Finding]:
    for name in ("exports.db", "memberships.db"):
        if (data / name).exists():
            yield from record_checks.integrity(data / name)


def _files(data: Path) -> Iterator[Finding]:
    yield from record_checks.orphans(data)
    yield from record_checks.missing_files(data)


def _secrets_kept_here(settings: Settings) -> tuple[str, ...]:
    """Name the secrets that the data folder has to hold; the one of the audit log is made with the first entry."""
    kept = {"jwt": settings.jwt_secret or not settings.makes_tokens, "service": settings.service_secret}
    return tuple(name for name, given in {**kept, "links": settings.link_secret}.items() if not given)
