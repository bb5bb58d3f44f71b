"""The sign of a data folder that is not whole: a restore grows in it, or was cut short."""

from pathlib import Path

from memberships_export.domain.errors import StorageUnavailable

GROWING = "restoring"  # the folder within the data folder in which a restore grows


def refuse_half_restored(data: Path) -> None:
    """Raise StorageUnavailable when a restore of this data folder is under way, or was cut short."""
    if (data / GROWING).exists():
        raise StorageUnavailable(
            f"{data.absolute()} cannot be used: a restore is under way there, or was cut short. To fix it, wait for "
            "it, or run memberships-export restore again."
        )
