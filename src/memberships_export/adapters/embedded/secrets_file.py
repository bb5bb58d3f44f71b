"""Secrets of one machine: made once at random, kept in files only their owner can read."""

import os
import secrets
from pathlib import Path

from memberships_export.adapters.embedded.disk import storage_errors


def kept_secret(path: Path) -> str:
    """Return the secret in this file, making it first when there is none. Raises StorageUnavailable."""
    with storage_errors(path):
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Write aside, then link: of two processes that start together, both read the first one's secret."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
