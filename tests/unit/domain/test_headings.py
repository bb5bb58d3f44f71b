"""What stands above a column: the label in the language and region of the reader, or the next best."""

import pytest

from memberships_export.domain.formats.headings import headings, label_of
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.domain.source.profile import Column

GERMAN = {"Joined": "Beitritt am"}
EVERY_WAY = {"en": "Joined", "de": "Beitritt", "de-CH": "Eintritt", "en-GB": "Joined on"}


def column(labels: dict[str, str] | None = None, kind: str = "date", name: str = "joined_at") -> Column:
    return Column(name=name, path="x", type=kind, labels=labels or {})  # type: ignore[arg-type]


def to_german(text: str) -> str:
    return GERMAN.get(text, text)


def as_it_is(text: str) -> str:
    return text


@pytest.mark.parametrize(
    "labels, language, label",
    [
        (EVERY_WAY, "de-CH", "Eintritt"),
        (EVERY_WAY, "de-AT", "Beitritt"),
        (EVERY_WAY, "de", "Beitritt"),
        (EVERY_WAY, "en-GB", "Joined on"),
        (EVERY_WAY, "en-US", "Joined"),
        ({"en": "Joined"}, "de-CH", "Beitritt am"),
        ({"en": "Joined", "de-CH": "Eintritt"}, "de", "Beitritt am"),
        ({"en": "Left"}, "de", "Left"),  # nobody translated it
        ({"de": "Beitritt"}, "de-CH", "Beitritt"),
        ({"fr": "Adhésion"}, "de", "joined_at"),
        ({}, "de", "joined_at"),
        ({"de": ""}, "de", "joined_at"),
    ],
)
def test_a_label_is_that_of_the_region_the_language_or_english_translated(
    labels: dict[str, str], language: str, label: str
) -> None:
    assert label_of(column(labels), language, to_german) == label


def test_where_programs_read_there_are_names() -> None:
    columns = [column(EVERY_WAY)]
    for options in (of_preset(Preset.RAW), Options(format=Format.JSONL, language="de")):
        assert headings(columns, options, as_it_is) == ["joined_at"]


@pytest.mark.parametrize("kind", ["datetime", "epoch", "epoch_ms"])
def test_an_instant_names_its_zone_behind_its_label(kind: str) -> None:
    options = Options(language="de", time_zone="Europe/Berlin")
    assert headings([column(EVERY_WAY, kind), column(EVERY_WAY)], options, as_it_is) == [
        "Beitritt (Europe/Berlin)",
        "Beitritt",
    ]
