"""docs/files.md shows the same wish in three ways, tables and recipes: each is tried."""

import csv
import io
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import msgspec
import openpyxl
import pytest
from typer.testing import CliRunner

from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.domain.formats.headings import label_of
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.domain.messages.message import Message
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.profile import Column, Kind
from memberships_export.entrypoints.cli.main import make_app
from tests.fakes.world import World
from tests.readers import FileOfTables, a_plan, a_reader
from tests.unit.api.service import Service, exports_api, own_app
from tests.unit.cli.stub_api import an_answer, stub_api
from tests.unit.test_docs import code_of, text_of

DOC = text_of("docs/files.md")
WISHES = re.findall(r"^\| `(\?.+?)` \| `(\{.+?\})` \| `(--.+?)` \|$", DOC, re.MULTILINE)
COMMANDS = re.findall(r"^memberships-export request (--.+)$", DOC, re.MULTILINE)
LINKS = re.findall(r"^GET (/memberships/export\?.+)$", DOC, re.MULTILINE)


@pytest.fixture
def service() -> Service:
    world = World()
    return Service(world, own_app(exports_api(world)))


def chosen_by(service: Service, method: str, path: str, body: object = None) -> Options:
    answer = service.call(method, path, json=body)
    assert answer.status_code == 202, answer.text
    return service.world.store.records[answer.json()["exportId"]].options


def typed(arguments: str) -> Any:  # noqa: ANN401  (the JSON that the command sends)
    with stub_api() as api:
        api.will(an_answer(), status=202)
        environ = {"MEMBERSHIPS_EXPORT_URL": api.url, "MEMBERSHIPS_EXPORT_TOKEN": "a.b.c"}
        result = CliRunner().invoke(make_app(), ["request", *shlex.split(arguments)], env=environ)
        assert result.exit_code == 0, result.stderr
        return json.loads(api.asked[0].body)


def test_the_page_shows_each_option() -> None:
    """But the filters: what there is depends on the profile."""
    assert {name for _, body, _ in WISHES for name in json.loads(body)} == {
        "format", "columns", "language", "timeZone", "preset", "delimiter", "decimal", "bom", "guard",
    }  # fmt: skip


@pytest.mark.parametrize("query, body, arguments", WISHES, ids=[wish[0] for wish in WISHES])
def test_query_body_and_command_are_the_same_wish(service: Service, query: str, body: str, arguments: str) -> None:
    by_get = chosen_by(service, "GET", f"/memberships/export{query}")
    by_post = service.post("/memberships/exports", json=json.loads(body))

    assert by_get != Options()
    assert by_post.status_code == 200, "the export that the GET began"
    assert typed(arguments) == json.loads(body)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_each_command_of_the_page_is_accepted(service: Service, arguments: str) -> None:
    assert chosen_by(service, "POST", "/memberships/exports", typed(arguments)) != Options()


@pytest.mark.parametrize("link", LINKS)
def test_each_link_of_the_page_is_accepted(service: Service, link: str) -> None:
    assert chosen_by(service, "GET", link) != Options()


def test_the_message_of_the_page_becomes_such_an_export() -> None:
    (body,) = code_of(DOC, "json")
    world = World()
    world.queue.send(Message(body))
    world.work()

    (export,) = world.store.records.values()
    assert (export.options.format, export.options.language) == ("xlsx", "de")
    assert world.mails[0].attachment
    assert world.mails[0].attachment.name.endswith(".xlsx")


def rows_of_presets() -> Iterator[str]:
    for preset in Preset:
        options = of_preset(preset)
        bom, guard = "yes" if options.bom else "no", "on" if options.guard else "off"
        yield f"| `{preset}` | `{options.delimiter}` | `{options.decimal}` | {bom} | {guard} |"


@pytest.mark.parametrize("row", list(rows_of_presets()))
def test_the_table_of_presets_is_that_of_the_program(row: str) -> None:
    assert row in DOC


@pytest.mark.parametrize(
    "language, label", [("en", "Belt"), ("de", "Gürtelfarbe"), ("de-AT", "Gürtelfarbe"), ("de-CH", "Gurtfarbe")]
)
def test_the_labels_of_the_page_are_found(language: str, label: str) -> None:
    (text,) = code_of(DOC, "toml")
    column = msgspec.convert(tomllib.loads(text)["columns"][0], Column)

    assert label_of(column, language, Catalogues().into(language)) == label


# --- What a column becomes --------------------------------------------------------------------------------------------

BECOMES = re.findall(
    r"^\| `(type = .+?)` \| `(.+?)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$",
    DOC.partition("## What a column becomes")[2].partition("\n## ")[0],
    re.MULTILINE,
)
PROFILE = """
version = 1
columns = [{{ name = "id" }}, {{ name = "value", {column} }}]
request = {{ path = "/memberships/{{user.id}}" }}
auth = {{ type = "bearer", token = "env:TOKEN" }}
rows = {{ path = "", key = ["id"], owner = "user" }}
paginator = {{ type = "single_page" }}
"""
BERLIN = "Europe/Berlin"


def content_of(options: Options, column: str, sent: str) -> bytes:
    reader = a_reader(PROFILE.format(column=column))
    page = f'[{{"id": "1", "user": "user-1", "value": {sent}}}]'
    plan = a_plan(options, reader.profile.columns)
    writer = FileOfTables(plan)
    return writer.begin() + writer.rows(reader.table(reader.read(Answer(page.encode())).rows)) + writer.end()


def in_csv(preset: Preset, column: str, sent: str) -> str:
    options = replace(of_preset(preset), time_zone=BERLIN)
    text = content_of(options, column, sent).decode("utf-8-sig")
    _, (_, cell) = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter)
    return f"`{cell}`" if cell else "nothing"


def in_a_workbook(column: str, sent: str) -> str:
    content = content_of(Options(format=Format.XLSX, time_zone=BERLIN), column, sent)
    cell = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["B2"]
    match cell.value:
        case None:
            return "nothing"
        case bool():
            return str(cell.value).upper()
        case int() | float():
            return f"number `{cell.value}`"
        case datetime():
            is_time = "h" in cell.number_format.lower()
            return f"time `{cell.value}`" if is_time else f"date `{cell.value.date()}`"
        case _:
            assert cell.data_type in {"s", "inlineStr"}
            return f"text `{cell.value}`"


def in_json_lines(column: str, sent: str) -> str:
    line = content_of(Options(format=Format.JSONL, time_zone=BERLIN), column, sent).decode()
    return f"`{json.dumps(json.loads(line)['value'])}`"


def test_the_table_of_what_a_column_becomes_shows_each_type() -> None:
    shown = {found for column, *_ in BECOMES for found in re.findall('type = "(.+?)"', column)}

    assert {*get_args(Kind)} - shown == {"epoch_ms", "constant"}, "which are like epoch and text"


@pytest.mark.parametrize("column, sent, german, raw, workbook, lines", BECOMES)
def test_a_column_becomes_what_the_page_says(  # noqa: PLR0913, PLR0917  (the cells of a row)
    column: str, sent: str, german: str, raw: str, workbook: str, lines: str
) -> None:
    assert in_csv(Preset.EXCEL_DE, column, sent) == german
    assert in_csv(Preset.RAW, column, sent) == raw
    assert in_a_workbook(column, sent) == workbook
    assert in_json_lines(column, sent) == lines
