"""Dates stay dates, times become UTC, and what is neither is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from memberships_export.domain.source.columns.values import BadValue, values_of
from memberships_export.domain.source.profile import Column

NO_DATE = "no date of ISO 8601"
DOES_NOT_EXIST = "a date or time that does not exist"
NO_ZONE = "a time without zone: set zone"
OUTSIDE = "a time outside of the years 1 to 9999"


def written(*values: Any, zone: str | None = None, kind: Any = "date") -> list[str | None]:  # noqa: ANN401
    column = Column(name="validFrom", type=kind, zone=zone)
    values_of(column).check(values)
    return list(values_of(column).texts(list(values)))


def refused(*values: Any, zone: str | None = None, kind: Any = "date") -> tuple[int, str]:  # noqa: ANN401
    column = values_of(Column(name="validFrom", type=kind, zone=zone))
    with pytest.raises(BadValue) as checked:
        column.check(values)
    with pytest.raises(BadValue) as caught:
        column.texts(values)
    assert str(checked.value) == str(caught.value)
    return caught.value.place, caught.value.what


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2024-02-29", "2024-02-29"),
        ("20240229", "2024-02-29"),
        ("2024-02-29T12:30:45Z", "2024-02-29T12:30:45Z"),
        ("2024-02-29t12:30:45z", "2024-02-29T12:30:45Z"),
        ("2024-02-29 12:30:45Z", "2024-02-29T12:30:45Z"),
        ("2024-02-29T12:30Z", "2024-02-29T12:30:00Z"),
        ("20240229T123045Z", "2024-02-29T12:30:45Z"),
        ("20240229T1230Z", "2024-02-29T12:30:00Z"),
        ("2024-02-29T12:30:45+01:00", "2024-02-29T11:30:45Z"),
        ("2024-02-29T12:30:45+0100", "2024-02-29T11:30:45Z"),
        ("2024-02-29T12:30:45+01", "2024-02-29T11:30:45Z"),
        ("2024-02-29 12:30:45 +0100", "2024-02-29T11:30:45Z"),
        ("2024-02-29T12:30:45-09:30", "2024-02-29T22:00:45Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ("2024-02-29T12:30:45-00:00", "2024-02-29T12:30:45Z"),
        ("2024-02-29T12:30:45.000Z", "2024-02-29T12:30:45Z"),
        ("2024-02-29T12:30:45.5Z", "2024-02-29T12:30:45.5Z"),
        ("2024-02-29T12:30:45.120+01:00", "2024-02-29T11:30:45.120Z"),
        ("2024-02-29T12:30:45,123456789Z", "2024-02-29T12:30:45.123456789Z"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_date_stays_a_date_and_a_time_becomes_utc(text: str, expected: str) -> None:
    assert written(text) == [expected]
    assert written("2024-01-01", text, None, "2024-01-01T00:00:00Z") == [
        *("2024-01-01", expected, None, "2024-01-01T00:00:00Z")
    ]
    assert written(text, zone="Asia/Tokyo") == [expected], "what has a zone, or is a date, needs none"


@pytest.mark.parametrize(
    "text",
    [
        *("2024-1-1", "2024-01", "2024", "202401", "240101", "2024-W05-1", "2024-032", "01.02.2024", "01/02/2024"),
        *("2024-01-01T", "2024-01-01T12", "2024-01-01T12:00:00.Z", "2024-01-0112:00:00Z", "2024-01-01T12:0000Z"),
        *("2024-0101", "202401-01", "2024-01-01Z", "2024-01-01T12:00:00+1", "2024-01-01T12:00:00 UTC"),
        *(
            " 2024-01-01",
            "2024-01-01 ",
            "2024-01-01\n",
            "\uff12\uff10\uff12\uff14-01-01",
            "12024-01-01",
            "today",
            "1700000000",
        ),
        *(
            "2024-01-01T12:00:00+01:00[Europe/Zurich]",
            "2024-01-01\n2024-01-02",
            "-0001-01-01",
            "2024-01-01T00:00:00+01:60",
            "Z",
        ),
    ],
)
def test_what_is_no_date_is_refused_with_its_place(text: str) -> None:
    assert refused("2024-01-01", None, text, text, zone="Europe/Zurich") == (2, NO_DATE)


@pytest.mark.parametrize(
    "text",
    [
        *("2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "20240230"),
        *("2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T23:60:00Z", "2024-01-01T23:59:60Z"),
        *("2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00-99"),
    ],
)
def test_what_does_not_exist_is_refused(text: str) -> None:
    assert refused("2024-01-01", text) == (1, DOES_NOT_EXIST)
    assert refused(text) == (0, DOES_NOT_EXIST)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_time_that_is_in_no_year_of_utc_is_refused(text: str) -> None:
    assert refused("2024-01-01T00:00:00Z", text) == (1, OUTSIDE)


@pytest.mark.parametrize(
    "zeros",
    [
        "0000-00-00",
        "0000-00-00 00:00:00",
        "0000-00-00T00:00:00",
        "0000-00-00T00:00:00Z",
        "0000-00-00T00:00:00.000000Z",
        "0000-00-00T00:00:00+00:00",
        "0000-00-00 00:00",
        "00000000",
        "00000000T000000",
        "-0001-11-30",
        "-0001-11-30T00:00:00",
        "-0001-11-30T00:00:00+00:34",
        "-0001-11-30T00:00:00+00:00",
        "-0001-11-30 00:00:00",
    ],
)
def test_a_date_of_zeros_is_no_date(zeros: str) -> None:
    assert written(zeros, "2024-01-01", zeros) == [None, "2024-01-01", None]


@pytest.mark.parametrize(
    "text",
    [
        "0000-00-00 00:00:01",
        "0000-00-00 ",
        "0000-00-000000",
        "0000-00-01",
        "0000-01-00",
        "0000-00-00x",
        "-0001-11-30T12:00Z",
    ],
)
def test_zeros_with_anything_else_are_not_taken_for_no_date(text: str) -> None:
    assert refused(text, zone="UTC")[0] == 0


# --- Zones ------------------------------------------------------------------------------------------------------------


def test_a_time_without_zone_is_refused_unless_the_column_names_one() -> None:
    assert refused("2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00") == (2, NO_ZONE)
    assert refused("2024-01-01 00:00:00", "2024-01-02 00:00:00") == (0, NO_ZONE)
    assert written("2024-01-01 00:00:00", "2024-07-01T00:00:00", zone="Europe/Zurich") == [
        *("2023-12-31T23:00:00Z", "2024-06-30T22:00:00Z")
    ]


@pytest.mark.parametrize(
    "local, utc",
    [
        ("2024-10-27T01:59:59", "2024-10-26T23:59:59Z"),
        ("2024-10-27T02:30:00", "2024-10-27T00:30:00Z"),  # comes twice: the first
        ("2024-10-27T03:00:00", "2024-10-27T02:00:00Z"),
        ("2024-03-31T01:59:59", "2024-03-31T00:59:59Z"),
        ("2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),  # does not come: as before the change
        ("2024-03-31T03:00:00", "2024-03-31T01:00:00Z"),
        ("2024-03-31T02:30:00.250", "2024-03-31T01:30:00.250Z"),
    ],
)
def test_where_the_clocks_change_each_time_has_one_meaning(local: str, utc: str) -> None:
    assert written(local, zone="Europe/Zurich") == [utc]


def test_a_zone_that_does_not_exist_is_told_at_once() -> None:
    for name in ("Europe/Zuerich", "../etc/passwd", "/etc/localtime", "Europe", "x" * 300):
        with pytest.raises(ValueError, match="is no time zone of the IANA database"):
            values_of(Column(name="c", type="date", zone=name))


@given(
    st.lists(
        st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(lambda moment: moment.replace(microsecond=0))  # noqa: DTZ001
    ),
    st.sampled_from(["Europe/Zurich", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    st.sampled_from(["T", " "]),
)
def test_local_times_are_the_instants_that_zoneinfo_says(moments: list[datetime], zone: str, between: str) -> None:
    texts = written(*[moment.isoformat(sep=between) for moment in moments], zone=zone)

    assert [datetime.fromisoformat(text or "") for text in texts] == [
        moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in moments
    ]


@given(st.lists(st.tuples(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-1439, 1439))))  # noqa: DTZ001
def test_instants_with_an_offset_stay_the_same_instants(rows: list[tuple[datetime, int]]) -> None:
    moments = [moment.replace(tzinfo=timezone(timedelta(minutes=minutes))) for moment, minutes in rows]
    texts = written(*[moment.isoformat() for moment in moments])

    assert [datetime.fromisoformat(text or "") for text in texts] == moments
    assert all(text and text.endswith("Z") for text in texts)


NEARLY_A_TIME = st.from_regex(
    r"[012][0-9]{3}-?[01][0-9]-?[0-3][0-9]([TtX_ ]?[0-2][0-9]:?[0-6][0-9](:?[0-6][0-9]([.,][0-9]{0,9})?)?)?"
    r" ?(z|Z|[+-]([0-2][0-9]:?[0-7][0-9]|[01][0-9]|24:00))?",
    fullmatch=True,
)


@given(NEARLY_A_TIME)
def test_a_text_means_the_same_whatever_else_is_in_its_page(text: str) -> None:
    with_another = [
        attempt(text),
        attempt(text, "2024-01-01T00:00:00Z")[:1],
        attempt(text, "2024-01-01T00:00:00.5+01:00")[:1],
        attempt(text, "2024-01-01", "", "0000-00-00", "20240101T1200Z")[:1],
    ]

    assert with_another == [with_another[0]] * 4


def attempt(*values: str) -> list[object]:
    try:
        return list(written(*values, zone="Europe/Zurich"))
    except BadValue as bad:
        return [(bad.place, bad.what)]


@given(st.lists(st.dates()))
def test_dates_alone_stay_as_they_are(days: list[date]) -> None:
    texts = [day.isoformat() for day in days]

    assert written(*texts) == texts


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused_in_words(text: str) -> None:
    words = ""
    try:
        written(text, zone="Europe/Zurich")
    except BadValue as bad:
        words = bad.what

    assert words in {"", NO_DATE, DOES_NOT_EXIST, OUTSIDE}


# --- Seconds since 1970 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        ("-1", "1969-12-31T23:59:59Z"),
        (1706745600, "2024-02-01T00:00:00Z"),
        ("1706745600", "2024-02-01T00:00:00Z"),
        (-62135596800, "0001-01-01T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
    ],
)
def test_seconds_since_1970_are_times(value: int | str, text: str) -> None:
    assert written(value, kind="epoch") == [text]
    assert written(5, value, None, "7", UNSET, "", kind="epoch") == [
        *("1970-01-01T00:00:05Z", text, None, "1970-01-01T00:00:07Z", None, "")
    ]


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        ("1706745600120", "2024-02-01T00:00:00.120Z"),
        (1706745600000, "2024-02-01T00:00:00Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
        (-62135596800000, "0001-01-01T00:00:00Z"),
    ],
)
def test_milliseconds_since_1970_are_times(value: int | str, text: str) -> None:
    assert written(value, kind="epoch_ms") == [text]


@pytest.mark.parametrize("value", ["5.0", "1e9", "+5", " 5", "5\n", "2024-01-01", "\uff15", "-", "5\n6", "1" * 21])
def test_what_is_no_whole_number_is_no_epoch(value: str) -> None:
    assert refused(1, None, value, value, kind="epoch") == (2, "no whole number of seconds since 1970")
    assert refused(1, None, value, value, kind="epoch_ms") == (2, "no whole number of milliseconds since 1970")


@pytest.mark.parametrize("value", [-62135596801, 253402300800, "253402300800", "9" * 20, 10**15, -(10**18), 10**40])
def test_an_epoch_outside_of_the_years_1_to_9999_is_refused(value: int | str) -> None:
    assert refused(1, None, value, 2, kind="epoch") == (2, OUTSIDE)
    if isinstance(value, int):
        assert refused(1, value * 1000, kind="epoch_ms") == (1, OUTSIDE)


@given(st.lists(st.integers(-62135596800000, 253402300799999)))
def test_epochs_are_the_instants_that_datetime_says(numbers: list[int]) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = [start + timedelta(milliseconds=number) for number in numbers]
    seconds = [start + timedelta(seconds=number // 1000) for number in numbers]

    assert [datetime.fromisoformat(text or "") for text in written(*numbers, kind="epoch_ms")] == milliseconds
    in_seconds = written(*[number // 1000 for number in numbers], kind="epoch")
    assert [datetime.fromisoformat(text or "") for text in in_seconds] == seconds
