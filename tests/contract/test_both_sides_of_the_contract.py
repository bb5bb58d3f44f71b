"""The worker's side of the contract against the bundled API, each as new or as old as it may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.keys import Seen as SeenKeys
from memberships_export.domain.source.page import Asked, after_page
from memberships_export.domain.source.progress import Progress
from rig.services.recording_api import RecordingApi, Reply, Seen
from tests.contract.membership_databases import Repository
from tests.readers import SHIPPED, a_reader

OWN = (SHIPPED / "memberships.toml").read_text(encoding="utf-8")
ARRAYS = OWN.replace('path = "items"', 'path = "items"\nencoding = "arrays"')
LINES = (
    OWN.replace('path = "items"', 'path = ""\nencoding = "ndjson"')
    .replace(
        'type = "cursor"\ncursor_path = "nextCursor"\ncursor_param = "cursor"\nrequired = true', 'type = "header_link"'
    )
    .replace('path = "total"\noptional = true', 'header = "X-Total-Count"')
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Bundled:
    """The bundled API over HTTP. An old one knows no `Accept`."""

    client: TestClient
    old: bool = False

    def __call__(self, seen: Seen) -> Reply:
        accept = "*/*" if self.old else seen.header("Accept") or "*/*"
        answer = self.client.get(seen.target, headers={"Accept": accept})
        named = ("Content-Type", "Link", "X-Total-Count")
        return Reply(answer.content, answer.status_code, [(n, answer.headers[n]) for n in named if n in answer.headers])


@pytest.fixture
def bundled(repository: Repository) -> Iterator[Bundled]:
    repository.add(sample_memberships(25, "user-1"))
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1"))
    with TestClient(app) as client:
        yield Bundled(client)


def walked(text: str, bundled: Bundled) -> tuple[list[list[str | None]], Progress]:
    """All cells, column by column, and the end of the walk."""
    reader, progress, columns = a_reader(text), Progress(), list[list[str | None]]()
    ask, seen = Ask(reader.profile, User("user-1", ""), 10), SeenKeys()
    with RecordingApi(bundled) as api:
        source = MembershipsHttp(api.url, lambda _: "token")
        asked = Asked(owner="user-1", size=10, at=NOW, url=api.url + ask.path)
        while progress.pages == 0 or progress.cursor is not None:
            page = reader.read(source.fetch(ask.page(progress.cursor), reader.known))
            progress = after_page(reader, seen, progress, page, asked).progress
            cells = reader.table(page.rows).cells
            columns = [before + list(new) for before, new in zip(columns or [[]] * len(cells), cells, strict=True)]
    return columns, progress


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("text", [OWN, ARRAYS, LINES], ids=["objects", "arrays", "ndjson"])
def test_a_walk_gives_the_same_rows_by_every_form_and_from_an_api_of_before(
    bundled: Bundled, text: str, *, old: bool
) -> None:
    if text == LINES and old:
        pytest.skip("lines are only asked of an API that has them")
    expected, _ = walked(OWN, bundled)
    bundled.old = old
    columns, progress = walked(text, bundled)

    assert columns == expected
    assert columns[0] == [str(number) for number in range(1, 26)]
    assert (progress.rows, progress.pages, progress.total, progress.grade) == (25, 3, 25, Grade.COUNTED)


def test_an_api_that_sends_a_page_in_place_of_lines_is_told_so(bundled: Bundled) -> None:
    bundled.old = True
    with pytest.raises(MembershipsContractBroken, match="missing required field"):
        walked(LINES, bundled)
