"""What the log says when pages have to be fetched or taken up again."""

from dataclasses import replace

from memberships_export.domain.errors import PlaceForgotten
from memberships_export.domain.export.record import Export, Stage
from memberships_export.service.file_keys import part_key, parts_folder
from tests.factories import a_membership, a_page
from tests.fakes.log import Log
from tests.fakes.shelf import Shelf, profile, shelf_rows
from tests.fakes.world import World
from tests.readers import a_part, a_reader, readers


def warnings(log: Log) -> list[str]:
    return [line for line in log.lines() if line.startswith("WARNING")]


def damaged(key: str, found: str) -> str:
    reason = f"The stored file {key} is damaged: {found}. It is not used, and made anew."
    return f"WARNING export=ID key={key} event=damaged reason={reason}"


def stopped_at_render(world: World) -> Export:
    export = world.request()
    world.work_once(should_stop=iter([False, False, False, True]).__next__)
    assert world.export(export).stage is Stage.RENDER
    return world.export(export)


def test_a_walk_that_starts_over_names_the_walk_that_ended_and_why(log: Log) -> None:
    world = World(7)
    world.source.before[2] = PlaceForgotten("The place is forgotten.")
    world.request()
    world.work()
    assert warnings(log) == ["WARNING export=ID walk=0 event=walk_again reason=The place is forgotten."]


def test_a_profile_whose_text_is_gone_is_named(log: Log) -> None:
    first = a_reader(profile("cursor"))
    world = World(source=Shelf(shelf_rows(7)), current=first, page_size=3)
    export = world.request("anna")
    world.work_once(should_stop=iter([False, True]).__next__)
    other = a_reader(profile("cursor").replace('"name" }', '"plan", path = "name" }', 1))
    world.services = world.over(replace(world.ports, readers=readers(other)))
    world.files.content.clear()
    world.work()
    assert world.export(export).profile == other.known.fingerprint
    assert warnings(log) == [
        (
            f"WARNING export=ID event=walk_again reason=The profile {first.known.fingerprint}, by which export "
            "ID began, is not among its files any more."
        )
    ]


def test_a_stored_page_that_does_not_go_with_those_before_it_is_named(log: Log) -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    key = part_key(world.export(export), 1, "3:7")
    world.files.content[key] = a_part(key, a_page([a_membership(1)], "3:7", 7))
    world.work()
    assert warnings(log) == [damaged(key, "it does not go with the pages before it")]


def test_pages_that_hold_fewer_rows_than_were_fetched_are_told_with_both_numbers(log: Log) -> None:
    world = World(7)
    export = stopped_at_render(world)
    assert world.store.replace(export, replace(export, progress=replace(export.progress, rows=8)))
    world.work()
    assert warnings(log) == [damaged(parts_folder(export.export_id), "8 rows were fetched, 7 are there")]
