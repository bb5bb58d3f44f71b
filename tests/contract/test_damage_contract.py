"""An export over each real FileStore whose files are damaged: what is mailed is right all the same."""

from dataclasses import replace
from hashlib import sha256

import pytest

from memberships_export.domain.export.record import Export, ExportStatus, Stage
from memberships_export.ports import FileStore
from memberships_export.service.file_keys import part_key
from tests.fakes.damage import DAMAGES, Damage
from tests.fakes.world import REFUSED_FOR_NOW, World, attachment


def world_over(files: FileStore, attachment_limit: int = 5_000_000) -> World:
    world = World(attachment_limit=attachment_limit)
    world.services = world.over(replace(world.ports, files=files))
    return world


def spoil(files: FileStore, key: str, damage: Damage) -> None:
    content = files.read(key)
    assert content
    with files.writing(key) as sink:
        sink.write(damage(content))


def stopped_at_render(world: World) -> Export:
    export = world.request()
    world.work_once(should_stop=iter([False, False, False, True]).__next__)
    assert world.export(export).stage is Stage.RENDER
    return export


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_parts_and_files_are_made_anew(files: FileStore, damage: Damage) -> None:
    world = world_over(files)
    world.mailer.script = [REFUSED_FOR_NOW]
    export = stopped_at_render(world)
    spoil(files, part_key(export, 1, "3:7"), damage)
    world.work()
    rendered = world.export(export).file
    assert rendered
    spoil(files, rendered.key, damage)
    world.pass_time()
    done = world.export(export)
    assert (done.status, done.progress.walk) == (ExportStatus.COMPLETED, 1)
    assert done.file
    assert {sha256(attachment(mail)).hexdigest() for mail in world.mails} == {done.file.sha256}
    assert attachment(world.mails[-1]).count(b"Gold Plan") == 7


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_made_anew_before_a_link_to_it_is_mailed(files: FileStore, damage: Damage) -> None:
    world = world_over(files, attachment_limit=10)
    world.mailer.script = [REFUSED_FOR_NOW]
    export = world.request()
    world.work()
    rendered = world.export(export).file
    assert rendered
    spoil(files, rendered.key, damage)
    world.pass_time()
    done = world.export(export).file
    assert done
    assert done.sha256 in world.mails[-1].text
    chunks = files.stream(done.key)
    assert chunks
    assert sha256(b"".join(chunks)).hexdigest() == done.sha256
