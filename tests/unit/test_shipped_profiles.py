"""The profiles that come with the service: whole, short, and honest about where they come from."""

import re
import tomllib
from importlib.resources import files

import msgspec
import pytest

from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Profile
from rig.services.apis.every import VENDORS

SHIPPED = {
    entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
    for entry in (files("memberships_export") / "shipped" / "profiles").iterdir()
}
OF_OTHERS = sorted(SHIPPED.keys() - {"memberships"})


def profile(name: str) -> Profile:
    return msgspec.convert(tomllib.loads(SHIPPED[name]), Profile)


def comments(name: str) -> str:
    return " ".join(line.removeprefix("#").strip() for line in SHIPPED[name].splitlines() if line.startswith("#"))


def test_every_api_that_we_ship_a_profile_for_has_a_fake() -> None:
    assert sorted(VENDORS) == OF_OTHERS


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_profile_is_one(name: str) -> None:
    shipped = profile(name)

    for path in filter(None, [shipped.rows.path, *shipped.rows.key, *(column.path for column in shipped.columns)]):
        assert parse_path(path)
    assert len({column.name for column in shipped.columns}) == len(shipped.columns)


@pytest.mark.parametrize("name", OF_OTHERS)
def test_a_profile_for_an_api_of_others_says_that_it_was_never_run_there_and_what_it_was_made_of(name: str) -> None:
    assert "Written from documentation, not run against the vendor" in comments(name)
    assert re.search(r"https://\S+", comments(name))
    assert profile(name).description


@pytest.mark.parametrize("name", OF_OTHERS)
def test_a_profile_fits_on_a_page(name: str) -> None:
    lines = [line for line in SHIPPED[name].splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert len(lines) <= 25


@pytest.mark.parametrize("name", OF_OTHERS)
def test_every_profile_proves_whose_rows_they_are(name: str) -> None:
    assert profile(name).rows.owner
    asked = profile(name).request
    assert "{user.id}" in f"{asked.path} {asked.params}"


@pytest.mark.parametrize("name", OF_OTHERS)
def test_money_in_the_smallest_unit_has_a_currency(name: str) -> None:
    for column in profile(name).columns:
        assert column.type != "minor_units" or column.currency


def test_an_api_that_takes_its_key_as_the_name_needs_no_password() -> None:
    auth = profile("chargebee").auth

    assert getattr(auth, "password", None) == ""


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_column_has_an_english_label_which_the_catalogues_translate(name: str) -> None:
    for column in profile(name).columns:
        assert list(column.labels) == ["en"]


def test_the_same_column_has_the_same_label_in_every_profile() -> None:
    labels = {(column.name, column.labels["en"]) for name in SHIPPED for column in profile(name).columns}

    assert len(labels) == len({column for column, _ in labels}) == len({label for _, label in labels})


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_an_amount_names_its_currency_where_a_column_has_it(name: str) -> None:
    columns = profile(name).columns
    if any(column.name == "currency" for column in columns):
        assert all(column.currency for column in columns if column.type in {"decimal", "minor_units"})
