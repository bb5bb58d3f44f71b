"""The data folder of one machine as a whole: copied, put back, looked at. On AWS there is none."""

from collections.abc import Callable
from pathlib import Path

from memberships_export.adapters.embedded.backup import making, restoring
from memberships_export.adapters.embedded.backup.manifest import Manifest
from memberships_export.adapters.embedded.backup.restoring import Restored
from memberships_export.bootstrap.parts import utc_now
from memberships_export.settings import Settings
from memberships_export.version import VERSION

__all__ = ["Manifest", "Restored", "look_at_backup", "make_backup", "restore"]

Told = Callable[[int, int], None]


def make_backup(settings: Settings, folder: Path, told: Told) -> Manifest:
    """Copy the data folder of the settings, which may be in use. Raises StorageUnavailable."""
    backup = making.Backup(data=settings.data_dir, folder=folder, program=VERSION, at=utc_now())
    return making.make_backup(backup, told)


def look_at_backup(backup: Path, data: Path) -> Manifest:
    """Return what would be restored. Raises StorageUnavailable when it cannot be, as far as a look can tell."""
    manifest = restoring.check_backup(backup)
    restoring.check_target(data)
    return manifest


def restore(backup: Path, data: Path, told: Told) -> Restored:
    """Put a backup in place of a data folder that is not there yet, or empty. Raises StorageUnavailable."""
    return restoring.restore(backup, data, utc_now(), told)
