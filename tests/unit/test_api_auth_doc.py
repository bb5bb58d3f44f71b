"""The examples of docs/api-auth.md are tables that a profile may have, and every type has one."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec

from memberships_export.adapters.source.auth import auth_problems
from memberships_export.domain.source.profile import Auth

TEXT = (Path(__file__).parents[2] / "docs" / "api-auth.md").read_text(encoding="utf-8")
TABLES = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]


def test_every_example_can_be_read_and_could_work() -> None:
    for table in TABLES:
        assert list(auth_problems(msgspec.convert(table["auth"], Auth))) == []


def test_every_type_has_a_section_with_an_example() -> None:
    types = {kind.__struct_config__.tag for kind in get_args(Auth)}
    assert {table["auth"]["type"] for table in TABLES} == types
    assert types <= set(re.findall(r"^## (\w+)$", TEXT, re.MULTILINE))
