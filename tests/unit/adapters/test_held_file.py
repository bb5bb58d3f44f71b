"""A file that a process holds: it is there whatever others do while it is made."""

import fcntl
import os
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.held_file import clear_unfinished, hold, is_held


def test_a_file_that_another_takes_for_one_of_the_dead_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, cleared = fcntl.flock, list[str]()

    def lock_too_late(descriptor: int, how: int) -> None:
        if not cleared:
            cleared.append("once")
            clear_unfinished(tmp_path)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    descriptor = hold(tmp_path / "me.lock")

    assert cleared
    assert [path.name for path in tmp_path.iterdir()] == ["me.lock"]
    assert is_held(tmp_path / "me.lock")
    os.close(descriptor)
