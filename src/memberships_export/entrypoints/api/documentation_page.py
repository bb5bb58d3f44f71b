"""The OpenAPI document as a page for people: HTML made here, without scripts, and with nothing from other hosts."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: auto; padding: 1rem }
code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
pre { overflow: auto; padding: .5rem; border: 1px solid }
h2 { margin-top: 3rem } h3 { margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid; padding: .25rem .5rem; text-align: left; vertical-align: top }
"""
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
Document = dict[str, Any]


def documentation_page(document: Document) -> HTMLResponse:
    """Return one HTML page without scripts, which its Content-Security-Policy would not let run."""
    return HTMLResponse("".join(_page(document)), headers={"Content-Security-Policy": _POLICY})


def _page(document: Document) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
    yield f"<main><h1>{title} {escape(document['info']['version'])}</h1>"
    yield from (f"<p>{_text(part)}</p>" for part in document["info"]["description"].strip().split("\n\n"))
    yield '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
    operations = [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    yield "<nav aria-label='Operations'><ul>"
    for method, path, operation in operations:
        yield f"<li><a href='#{_id(operation)}'>{_code(f'{method} {path}')}</a> {_text(operation['summary'])}</li>"
    yield "</ul></nav><h2>Operations</h2>"
    for method, path, operation in operations:
        yield from _operation(method, path, operation)
    yield "<h2>What they are made of</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(name, schema)
    yield "</main></html>"


def _operation(method: str, path: str, operation: Document) -> Iterator[str]:
    yield f"<section><h3 id='{_id(operation)}'>{_code(f'{method} {path}')}</h3>"
    yield f"<p><strong>{_text(operation['summary'])}.</strong> {_text(operation.get('description', ''))}"
    yield " Needs a bearer token.</p>" if operation.get("security") else "</p>"
    yield _table(
        ["Parameter", "In", "What it is"],
        (
            (_code(one["name"]), escape(one["in"]), f"{_kind(one['schema'])} {_text(one.get('description', ''))}")
            for one in operation.get("parameters", [])
        ),
    )
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body: {_code(media_type)}, {_kind(content.get('schema', {}))}</p>"
    yield _table(["Status", "Answer"], (_answer(*told) for told in operation["responses"].items()))
    yield "</section>"


def _answer(status: str, response: Document) -> tuple[str, str]:
    parts = [_text(response["description"])]
    parts += [f"<br>{_code(name)}: {_text(of['description'])}" for name, of in response.get("headers", {}).items()]
    for media_type, content in response.get("content", {}).items():
        parts.append(f"<br>{_code(media_type)}: {_kind(content.get('schema', {}))}")
        examples = {name: one["value"] for name, one in content.get("examples", {}).items()}
        examples |= {"example": content["example"]} if "example" in content else {}
        parts += [_example(name, value) for name, value in examples.items()]
    return escape(status), "".join(parts)


def _example(name: str, value: object) -> str:
    return f"<details><summary>{escape(name)}</summary><pre>{escape(json.dumps(value, indent=2))}</pre></details>"


def _schema(name: str, schema: Document) -> Iterator[str]:
    yield f"<section><h3 id='{escape(name)}'>{escape(name)}</h3><p>{_text(schema.get('description', ''))}</p>"
    yield f"<p>{_kind(schema)}</p>" if "enum" in schema else ""
    yield _table(
        ["Field", "What it is"],
        (
            (_code(field), f"{_kind(of)} {_text(of.get('description', ''))}")
            for field, of in schema.get("properties", {}).items()
        ),
    )
    yield "</section>"


def _kind(schema: Document) -> str:
    """Say in a few words what a value is; what has a name of its own is linked."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(_code(str(one)) for one in schema["enum"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    types = schema.get("type", "")
    return escape(" or ".join([types] if isinstance(types, str) else types))


def _table(heads: list[str], rows: Iterable[tuple[str, ...]]) -> str:
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>" if cells else ""


def _id(operation: Document) -> str:
    return escape(operation["operationId"])


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _text(text: str) -> str:
    """Write a description: Markdown of which only `code` occurs."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
