import os
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli.serve.cores import cores_here


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def quota(folder: Path, place: str, text: str) -> None:
    (folder / "groups" / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / "groups" / place).write_text(text)


def asked(folder: Path, own: str) -> int:
    (folder / "own").write_text(own)
    return cores_here(folder / "groups", folder / "own")


def test_without_a_quota_it_is_what_the_scheduler_gives(tmp_path: Path) -> None:
    assert cores_here(tmp_path / "none", tmp_path / "neither") == 8
    quota(tmp_path, "cpu.max", "max 100000\n")
    assert asked(tmp_path, "0::/\n") == 8


@pytest.mark.parametrize("text, count", [("100000 100000", 1), ("150000 100000", 2), ("25000 100000", 1), ("9 1", 8)])
def test_a_container_has_as_many_cores_as_its_quota(tmp_path: Path, text: str, count: int) -> None:
    quota(tmp_path, "cpu.max", f"{text}\n")

    assert asked(tmp_path, "0::/\n") == count


def test_the_smallest_quota_of_a_group_and_those_above_it_counts(tmp_path: Path) -> None:
    quota(tmp_path, "system.slice/cpu.max", "300000 100000\n")
    quota(tmp_path, "system.slice/export.service/cpu.max", "max 100000\n")

    assert asked(tmp_path, "0::/system.slice/export.service\n") == 3


def test_quotas_of_the_older_kind_count_too(tmp_path: Path) -> None:
    quota(tmp_path, "cpu/docker/1/cpu.cfs_quota_us", "200000\n")
    quota(tmp_path, "cpu/docker/1/cpu.cfs_period_us", "100000\n")
    quota(tmp_path, "cpu/cpu.cfs_quota_us", "-1\n")
    quota(tmp_path, "cpu/cpu.cfs_period_us", "100000\n")

    assert asked(tmp_path, "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n") == 2


def test_where_there_is_no_affinity_it_is_the_number_of_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert cores_here(tmp_path / "none", tmp_path / "neither") == 1
