"""`demo --api`: one export from an API that is not like ours."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli.demo.shapes import SHAPES
from tests.e2e.command_line import environ_of, run


@pytest.mark.parametrize("api", SHAPES)
def test_the_demo_brings_the_memberships_of_an_api_of_another_shape(tmp_path: Path, api: str) -> None:
    result = run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path)}, "demo", "--rows", "150", "--api", api)

    assert result.returncode == 0, result.stderr
    assert f"read by the profile {SHAPES[api].profile}" in result.stdout
    (folder,) = tmp_path.glob("memberships-export-demo-*")
    (file,) = folder.glob("memberships-*.csv")
    rows = list(csv.DictReader(StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    numbers = [int("".join(filter(str.isdigit, row["ID"]))) for row in rows]
    assert sorted(numbers) == list(range(1, 151))
    (since,) = [heading for heading in rows[0] if heading in {"Valid from", "Valid from (UTC)"}]
    assert all(row[since] for row in rows)


def test_an_api_that_the_demo_does_not_have_is_answered_with_those_that_it_has(tmp_path: Path) -> None:
    result = run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path)}, "demo", "--api", "stripe")

    assert result.returncode == 2
    assert "There is no API 'stripe' for the demo. There are: stripe-like, woocommerce-like" in result.stderr
    assert list(tmp_path.glob("memberships-export-demo-*")) == []
