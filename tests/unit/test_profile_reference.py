"""What editors and people read about profiles is what the program takes."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, cast

import msgspec
import pytest
from jsonschema import Draft202012Validator

from memberships_export.domain.source.profile import Profile
from rig.profile_keys import KEYS
from rig.profile_reference import PAGE, SCHEMA, TABLES, schema_text, tables
from tests.unit.domain.test_profile_text import GOOD, RULES, WRONG_KEYS, changed, problems_of

SHIPPED = {path.name: path.read_text("utf-8") for path in (files("memberships_export") / "shipped/profiles").iterdir()}
RUN = "run: .venv/bin/python -m rig.profile_reference"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    made = msgspec.json.decode(SCHEMA.read_bytes())
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def test_the_schema_is_that_of_the_types() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text(), f"{SCHEMA} is older than the types; {RUN}"


def test_the_tables_of_the_page_are_those_of_the_types() -> None:
    found = TABLES.search(PAGE.read_text("utf-8"))

    assert found, f"{PAGE} has no place for the tables"
    assert found[0] == tables(), f"{PAGE} is older than the types; {RUN}"


def described() -> Iterator[tuple[str, Any]]:
    for name, table in msgspec.json.schema(Profile)["$defs"].items():
        yield name, [key for key in table["properties"] if key != "type" or name in ("Column", "Filter")]


@pytest.mark.parametrize("name, keys", list(described()))
def test_every_key_is_described_once(name: str, keys: list[str]) -> None:
    assert list(KEYS[name]) == keys, "rig/profile_keys.py"


@pytest.mark.parametrize("name", SHIPPED)
def test_an_editor_finds_nothing_wrong_with_a_shipped_profile(name: str, schema: Draft202012Validator) -> None:
    assert list(schema.iter_errors(tomllib.loads(SHIPPED[name]))) == []


# The validator cannot write the message about such a number.
@pytest.mark.parametrize("case", sorted(WRONG_KEYS.keys() - {"a number without end"}))
def test_an_editor_marks_what_is_wrong_by_itself(case: str, schema: Draft202012Validator) -> None:
    old, new, _ = WRONG_KEYS[case]

    assert not schema.is_valid(tomllib.loads(changed(old, new)))


@pytest.mark.parametrize("case", [case for case, (_, problem) in RULES.items() if problem is None])
def test_an_editor_marks_nothing_that_is_right(case: str, schema: Draft202012Validator) -> None:
    text, _ = RULES[case]

    assert (problems_of(text), list(schema.iter_errors(tomllib.loads(text)))) == ([], [])


def test_an_editor_shows_what_each_key_is_for(schema: Draft202012Validator) -> None:
    made = cast("dict[str, Any]", schema.schema)
    silent = [
        f"{name}.{key}"
        for name, table in made["$defs"].items()
        for key, about in table["properties"].items()
        if "description" not in about and "enum" not in about
    ]

    assert silent == []
    assert "'null'" not in str(made)
    assert list(schema.iter_errors(tomllib.loads(GOOD))) == []
