"""Secrets of one machine: made once at random, kept in files only their owner can read."""

import os
import secrets
from pathlib import Path

from memberships_export.adapters.embedded.disk import make_folder, storage_errors
from memberships_export.adapters.embedded.private import private


def kept_secret(path: Path) -> str:
    """Return the secret in this file, making it first when there is none. Raises StorageUnavailable."""
    with storage_errors(path):
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Write aside, then link: of two processes that start together, both read the first one's secret."""
    make_folder(path.parent)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(aside, "x", encoding="ascii", opener=private) as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
