"""Files in the folder that the disk cannot read any more, while it takes and reads others."""

from dataclasses import replace
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.folder import Folder
from memberships_export.domain.errors import FileDamaged
from memberships_export.domain.export.record import ExportStatus
from tests.fakes.world import REFUSED_FOR_NOW, World


def rot(path: Path) -> None:
    """Put something in its place that the operating system answers with EIO."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def test_a_file_that_the_disk_cannot_read_is_damaged_and_the_storage_is_not(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put_once("parts/1/a.part", b"x")
    rot(tmp_path / "parts/1/a.part")
    with pytest.raises(FileDamaged, match=r"a\.part is damaged: the disk cannot read it \(Input/output error\)"):
        folder.read("parts/1/a.part")
    chunks = folder.stream("parts/1/a.part")
    assert chunks is not None
    with pytest.raises(FileDamaged, match="the disk cannot read it"):
        next(chunks)


@pytest.mark.parametrize("rotten", ["parts", "csv"])
@pytest.mark.parametrize("attachment_limit", [10, 5_000_000])
def test_an_export_whose_files_the_disk_cannot_read_any_more_makes_them_anew(
    tmp_path: Path, rotten: str, attachment_limit: int
) -> None:
    world = World(mails=[REFUSED_FOR_NOW], attachment_limit=attachment_limit)
    world.services = world.over(replace(world.ports, files=Folder(tmp_path)))
    export = world.request()
    if rotten == "parts":
        world.work_once(should_stop=iter([False, False, False, True]).__next__)
    else:
        world.work()
    rot(next(path for path in sorted((tmp_path / rotten).rglob("*.*"))))
    world.work()
    world.pass_time()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert done.file is not None
    assert done.file.sha256 in world.mails[-1].text
