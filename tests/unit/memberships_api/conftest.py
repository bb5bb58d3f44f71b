from collections.abc import Iterator
from pathlib import Path

import pytest

from memberships_api.sqlite_repository import SqliteMembershipRepository


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SqliteMembershipRepository]:
    repository = SqliteMembershipRepository(tmp_path / "memberships.sqlite3")
    yield repository
    repository.close()
