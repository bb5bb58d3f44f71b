"""A data folder with something of everything, and what is in one."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.adapters.embedded.backup.making import Backup
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.secrets_file import kept_secret
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.export.record import Export
from tests.factories import REQUESTED_AT, an_export

AT = REQUESTED_AT
_CHILD = """
import os, signal
from datetime import UTC, datetime
from pathlib import Path
from memberships_export.adapters.embedded.backup.{module} import *

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

def die(_done, _all):
    os.kill(os.getpid(), signal.SIGKILL)

{code}
"""


def killed_in(module: str, code: str) -> bool:
    """Run code in a process that kills itself as soon as `die` is called; tell whether it did."""
    child = subprocess.run([sys.executable, "-c", _CHILD.format(module=module, code=code)], check=False, timeout=120)
    return child.returncode == -signal.SIGKILL


def a_data_folder(data: Path, **changes: Any) -> Export:  # noqa: ANN401  (fields of Export)
    """Make one with one export, which has a part and a file; a mail, secrets and the bundled memberships are there."""
    database = Database(data / "exports.db")
    export = SqliteExportStore(database, lambda: AT).create(an_export(**changes))
    database.close()
    SqliteMembershipRepository(data / "memberships.db").close()
    files = Folder(data / "files")
    files.put_once(f"parts/{export.export_id}/0-000000-abc.part", b"a page")
    files.put_once(f"csv/{export.export_id}/1-abc.csv", b"a file")
    Folder(data / "outbox").put_once("a.eml", b"a mail")
    kept_secret(data / "secrets" / "jwt")
    return export


def a_backup_of(data: Path, folder: Path) -> Backup:
    return Backup(data=data, folder=folder, program="1.2.3", at=AT)


def content(root: Path) -> dict[str, bytes]:
    """Return the content of all files but the databases and the manifest, by path."""
    paths = [
        path for path in root.rglob("*") if path.is_file() and not path.name.startswith(("exports", "memberships"))
    ]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths if path.name != "manifest.json"}


def exports_in(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT export_id FROM exports")]


def record(data: Path, export_id: str) -> Export:
    database = Database(data / "exports.db")
    export = SqliteExportStore(database, lambda: AT).get(export_id)
    database.close()
    assert export is not None
    return export
