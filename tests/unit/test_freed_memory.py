"""What a process that stays tells malloc, seen by how often the kernel has to hand out memory."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from memberships_export.bootstrap import backend
from memberships_export.settings import Settings

PAGES = """
import resource, sys
from memberships_export.bootstrap.freed_memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()


def page():
    return [b"x" * 1_600_000 for _ in range(3)]


for _ in range(5):
    page()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    page()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc is told")


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PAGES, how], check=True, capture_output=True, text=True)
    return int(done.stdout)


@glibc
def test_a_page_takes_the_memory_that_the_page_before_it_left() -> None:
    kept, given_back = faults("kept"), faults("given back")
    assert kept * 20 < given_back, (kept, given_back)


def test_only_who_stays_keeps_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []
    monkeypatch.setattr(backend, "keep_freed_memory", lambda: told.append("keep"))
    backend.connect(Settings(data_dir=tmp_path), None)
    assert told == []
    backend.connect(Settings(data_dir=tmp_path), "http://127.0.0.1:1")
    assert told == ["keep"]


def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from memberships_export.bootstrap import freed_memory  # noqa: PLC0415

    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    freed_memory.keep_freed_memory()
