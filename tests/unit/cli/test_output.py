import pytest

from memberships_export.entrypoints.cli.output import masked, table, visible


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain", "plain"),
        ("Größe 🧘", "Größe 🧘"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\u202egnp", "\\u202egnp"),
    ],
)
def test_what_comes_from_outside_is_shown_without_steering_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_nothing_is_shown_as_a_dash() -> None:
    assert visible(None) == "-"


@pytest.mark.parametrize(
    "text, hidden",
    [
        ("alice@example.org", "a***@example.org"),
        ('{"email": "alice.b@example.org"}', '{"email": "a***@example.org"}'),
        ("to alice@example.org and b@example.com", "to a***@example.org and b***@example.com"),
        ("no address here", "no address here"),
    ],
)
def test_addresses_are_masked_wherever_they_stand(text: str, hidden: str) -> None:
    assert masked(text) == hidden


def test_masking_reaches_into_nested_values_and_leaves_numbers() -> None:
    value = {"a": ["x@example.org", 3, None], "b": {"c": "y@example.org"}}
    assert masked(value) == {"a": ["x***@example.org", 3, None], "b": {"c": "y***@example.org"}}


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    assert table(("ID", "NAME"), [("1", "Gold"), ("22", None)]) == "ID  NAME\n1   Gold\n22  -"
