"""Times in a file, against the standard library's datetime and zoneinfo, cell by cell."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.instants import dates_for_people, for_people, for_programs

ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kathmandu",
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "Africa/Monrovia", "Etc/GMT+12",
)  # fmt: skip
DATES = st.dates().map(date.isoformat)
SECONDS = st.datetimes() | st.datetimes(datetime(1965, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001  (made aware below)
EDGES = st.sampled_from(["0001-01-01T00:00:00", "0001-01-01T03:00:00", "9999-12-31T21:00:00", "9999-12-31T23:59:59"])
FRACTIONS = st.sampled_from(["", "", ".5", ".250", ".000001", ".123456789012345678"])
CLOCKS = SECONDS.map(lambda moment: moment.replace(microsecond=0).isoformat()) | EDGES
TIMES = st.builds(lambda clock, fraction: f"{clock}{fraction}Z", CLOCKS, FRACTIONS)
TEXTS = st.lists(st.none() | st.just("") | DATES | TIMES, max_size=8)


def local_of(text: str, zone: str) -> datetime | None:
    """The local time without its fraction; None where no datetime can hold it."""
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    except OverflowError:
        return None


def expected_by_people(text: str, zone: str) -> str:
    local = local_of(text, zone)
    return f"{local.isoformat(' ')[:19]}{text[19:-1]}" if local else text.replace("T", " ")


def expected_by_programs(text: str, zone: str) -> str:
    local = local_of(text, zone)
    offset = local.isoformat()[19:].replace("+00:00", "Z") if local else "Z"
    if local is None or len(offset) > len("+01:00"):  # local mean time, such as +00:53:28
        return text
    return local.isoformat()[:19] + text[19:-1] + offset


def is_time(text: str | None) -> bool:
    return bool(text) and "T" in str(text)


@pytest.mark.parametrize("zone", ZONES)
@given(texts=TEXTS)
@settings(max_examples=150)
def test_each_time_is_what_the_standard_library_says(zone: str, texts: list[str | None]) -> None:
    by_people = [expected_by_people(text, zone) if text and is_time(text) else text for text in texts]
    by_programs = [expected_by_programs(text, zone) if text and is_time(text) else text for text in texts]

    assert list(for_people(texts, zone)) == by_people
    assert list(for_programs(texts, zone)) == by_programs
    assert list(dates_for_people(texts, zone)) == [text and text.replace("T", " ") for text in by_programs]


@pytest.mark.parametrize("zone", ZONES)
@given(text=TIMES)
def test_what_programs_read_is_the_same_instant_by_rfc_3339(zone: str, text: str) -> None:
    (written,) = for_programs([text], zone)

    assert written
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", written)
    whole = re.sub(r"\.\d+", "", written)  # more digits than a datetime holds
    read, sent = datetime.fromisoformat(whole), datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    assert read - sent == timedelta()


@pytest.mark.parametrize(
    "zone, by_people, by_programs",
    [
        ("UTC", "2026-03-01 14:30:00", "2026-03-01T14:30:00Z"),
        ("Europe/Berlin", "2026-03-01 15:30:00", "2026-03-01T15:30:00+01:00"),
        ("Europe/London", "2026-03-01 14:30:00", "2026-03-01T14:30:00Z"),
        ("Asia/Kathmandu", "2026-03-01 20:15:00", "2026-03-01T20:15:00+05:45"),
        ("America/New_York", "2026-03-01 09:30:00", "2026-03-01T09:30:00-05:00"),
    ],
)
def test_a_time_is_moved_into_the_zone_and_a_date_alone_is_not(zone: str, by_people: str, by_programs: str) -> None:
    texts = ["2026-03-01T14:30:00Z", "2026-03-01", "", None]

    assert list(for_people(texts, zone)) == [by_people, "2026-03-01", "", None]
    assert list(for_programs(texts, zone)) == [by_programs, "2026-03-01", "", None]
    assert list(dates_for_people(texts, zone)) == [by_programs.replace("T", " "), "2026-03-01", "", None]


def test_summer_and_winter_have_their_own_offsets_and_the_hour_that_comes_twice_is_told_apart_by_them() -> None:
    texts = ["2026-07-01T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]

    assert list(for_programs(texts, "Europe/Berlin")) == [
        *("2026-07-01T14:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")
    ]
    assert list(for_people(texts, "Europe/Berlin")) == [
        *("2026-07-01 14:00:00", "2026-10-25 02:30:00", "2026-10-25 02:30:00")
    ]


@pytest.mark.parametrize(
    "text, zone", [("0001-01-01T00:00:00Z", "America/New_York"), ("9999-12-31T23:59:59.5Z", "Asia/Kathmandu")]
)
def test_a_time_that_the_calendar_cannot_hold_in_the_zone_stays_in_utc_and_says_so(text: str, zone: str) -> None:
    texts = [text, "2026-03-01T14:30:00Z"]

    assert for_people(texts, zone)[0] == text.replace("T", " ")
    assert for_programs(texts, zone)[0] == text
    assert dates_for_people(texts, zone)[0] == text.replace("T", " ")
    assert for_people(texts, zone)[1] != texts[1]


def test_a_time_whose_offset_has_seconds_stays_in_utc_for_programs() -> None:
    texts = ["1066-10-14T09:00:00Z"]

    assert list(for_programs(texts, "Europe/Berlin")) == texts
    assert list(dates_for_people(texts, "Europe/Berlin")) == ["1066-10-14 09:00:00Z"]
    assert list(for_people(texts, "Europe/Berlin")) == ["1066-10-14 09:53:28"]
