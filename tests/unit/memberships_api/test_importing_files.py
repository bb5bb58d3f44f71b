"""Files as spreadsheets and databases write them: read as they are meant, or refused with what to do."""

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memberships_api.csv_files.mapping import ColumnMapping
from memberships_api.csv_files.problems import MOST_KEPT, ImportRefused
from memberships_api.importing import ImportOrder, Watcher, import_csv
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from tests.unit.memberships_api.test_importing import GOOD, HEADER, Importer, csv_of

ROW = ",".join(GOOD.values())
HANDED_OVER = (
    "line 2: userId is 'user-2': membership 7 belongs to another user, and an import does not hand it over. "
    "Correct the id, or add the row as a new one."
)


@pytest.fixture
def importer(tmp_path: Path, repository: SqliteMembershipRepository) -> Importer:
    return Importer(tmp_path / "memberships.csv", repository)


# --- Forms of files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize("before", ["", "\r\n", "  \r\n\r\n", "sep={}\r\n", "{0}{0}{0}\r\n"], ids=repr)
def test_a_file_of_a_german_spreadsheet_is_imported_as_it_is_meant(
    importer: Importer, encoding: str, delimiter: str, before: str
) -> None:
    german = {**GOOD, "name": "Größe", "recurringPrice": '"1.234,56"', "validFrom": "31.12.2024", "validUntil": ""}
    text = before.format(delimiter) + "\r\n".join(map(delimiter.join, (GOOD, german.values()))) + "\r\n"
    assert importer.run(text.encode(encoding)) == 1
    [row] = importer.rows()
    assert (row["name"], row["recurringPrice"], row["validFrom"]) == ("Größe", "1234.56", "2024-12-31")


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_lines_are_counted_whatever_ends_them_and_stands_before_the_header(importer: Importer, ends: str) -> None:
    text = ends.join(["sep=,", "", " , ", HEADER, ROW, ",,,,,,,,,,,", ROW.replace("120.50", "much"), ""])
    [problem] = importer.problems(text)
    assert problem.startswith("line 7: recurringPrice is 'much'")


def test_empty_rows_of_a_spreadsheet_are_left_out_and_counted(importer: Importer) -> None:
    empty = "," * 11 + "\r\n"
    report = importer.report(csv_of({}) + empty * 3)
    assert (report.added, report.notices) == (
        1,
        ["Rows without any value were left out (3 rows, the first in line 3)."],
    )


@pytest.mark.parametrize("text", ["", "\r\n\r\n", ",,,\r\n,,,\r\n", "sep=;\r\n", "\ufeff"], ids=repr)
def test_a_file_without_any_value_is_empty(importer: Importer, text: str) -> None:
    assert importer.problems(text) == ["The file is empty: its first line must name the columns."]


def test_bytes_that_break_the_encoding_later_are_named_with_their_cell(importer: Importer) -> None:
    good = csv_of({}, {}).encode()
    [problem] = importer.problems(good.replace(b"Gold,user-1", b"Gr\xf6\xdfe,user-1", 1), encoding="utf-8")
    assert problem == (
        r"line 2: name is 'Gr\xf6\xdfe': a character is broken, because the file is not utf-8 here: say --encoding."
    )


def test_a_file_that_ends_within_a_character_is_told(importer: Importer) -> None:
    [problem] = importer.problems(csv_of({}).encode("utf-16")[:-1])
    assert re.match(r"line \d: from about here the file is not utf-16", problem)


@pytest.mark.parametrize(
    "name,reason",
    [
        ("x" * 131_073, "line 3: the cell in column 'name' has more than 131,072 characters"),
        ('"open', "line 3: this is not CSV: the cell in column 'name' begins with a quote that is never closed"),
        ('"a"b', "line 3: this is not CSV: the cell in column 'name' goes on after its closing quote"),
    ],
    ids=["long", "open", "late"],
)
def test_a_cell_that_cannot_be_read_is_named_after_all_problems_before_it(
    importer: Importer, name: str, reason: str
) -> None:
    first, last = importer.problems(csv_of({"recurringPrice": "much"}, {"name": name}))
    assert first.startswith("line 2: recurringPrice is 'much'")
    assert last.startswith(reason)
    assert len(last) < 200


def test_a_line_without_end_is_refused_before_it_fills_the_memory(importer: Importer) -> None:
    [problem] = importer.problems(csv_of({}) + "x," * 3_000_000)
    assert problem.startswith("line 3: a line has more than 4,194,304 characters")


# --- Ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["id", "uuid", "userId"])
def test_white_space_around_an_id_is_taken_off_and_told(importer: Importer, field: str) -> None:
    report = importer.report(csv_of({field: f" \u00a0{GOOD[field]}\u2003"}))
    assert report.notices == [f"{field} had white space around it, which was taken off (line 2)."]
    assert [(row["userId"], row["id"], row["uuid"]) for row in importer.rows()] == [("user-1", 7, "u-7")]


@pytest.mark.parametrize("field", ["uuid", "userId"])
@pytest.mark.parametrize("char", [*"\u00a0\u200b\u200c\u200d\u2060\ufeff\u00ad\t\u202e\u3164\u2800\ufe0f\u034f\u0007"])
def test_an_id_with_a_sign_that_nobody_sees_is_refused(importer: Importer, field: str, char: str) -> None:
    [problem] = importer.problems(csv_of({field: f"user{char}1"}))
    assert f"character 5 is U+{ord(char):04X}" in problem
    assert "nobody sees: remove it" in problem


def test_an_id_may_be_as_long_as_a_token_can_name(importer: Importer) -> None:
    assert importer.run(csv_of({"userId": "u" * 255})) == 1
    [problem] = importer.problems(csv_of({"id": "8", "uuid": "u-8", "userId": "u" * 256}))
    assert "it has 256 characters, and a token can name at most 255" in problem
    assert len(problem) < 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\0"'), min_size=1, max_size=300))
def test_whatever_user_is_imported_can_be_named_by_a_token(
    tmp_path_factory: pytest.TempPathFactory, user_id: str
) -> None:
    folder = tmp_path_factory.mktemp("users")
    repository = SqliteMembershipRepository(folder / "memberships.db")
    importer = Importer(folder / "memberships.csv", repository)
    try:
        importer.run(csv_of({"userId": f'"{user_id}"'}))
    except ImportRefused:
        return
    finally:
        rows = importer.rows(user_id.strip())
        repository.close()
    assert [row["userId"] for row in rows] == [user_id.strip()]
    assert user_id.strip().isprintable()


def test_the_same_uuid_twice_in_the_file_or_in_the_database_is_told(importer: Importer) -> None:
    importer.run(csv_of({"uuid": "taken"}))
    rows = csv_of({"id": "8", "uuid": "twice"}, {"id": "9", "uuid": "twice"}, {"id": "10", "uuid": "taken"})
    assert importer.problems(rows) == [
        "line 2: uuid is 'twice': 2 rows of this file have it.",
        "line 3: uuid is 'twice': 2 rows of this file have it.",
        "line 4: uuid is 'taken': membership 7 in the database has it already.",
    ]


# --- No value ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["NULL", "null", "\\N", "N/A", "#N/A", " NULL "])
@pytest.mark.parametrize("field", ["id", "uuid", "validUntil", "assignedBy", "paymentMethod"])
def test_a_word_for_no_value_is_taken_for_none_and_told(importer: Importer, field: str, word: str) -> None:
    report = importer.report(csv_of({field: word}))
    assert report.notices == [f"{field} is {word.strip()}, which was taken for no value (line 2)."]
    assert word.strip() not in importer.rows()[0].values()


@pytest.mark.parametrize("word", ["NULL", "\\N", "#N/A"])
@pytest.mark.parametrize(
    "field", ["name", "userId", "recurringPrice", "validFrom", "state", "billingInterval", "billingPeriods"]
)
def test_a_word_for_no_value_is_refused_where_one_is_needed(importer: Importer, field: str, word: str) -> None:
    [problem] = importer.problems(csv_of({field: word}))
    assert problem == f"line 2: {field} is {word!r}: this stands for no value, and one is needed."


@pytest.mark.parametrize("zero", ["0000-00-00", "0000-00-00 00:00:00"])
def test_the_date_zero_is_no_end_and_no_start(importer: Importer, zero: str) -> None:
    report = importer.report(csv_of({"validUntil": zero}))
    assert report.notices == [f"validUntil is {zero}, which was taken for no value (line 2)."]
    assert importer.rows()[0]["validUntil"] is None
    [problem] = importer.problems(csv_of({"validFrom": zero}))
    assert problem.startswith(f"line 2: validFrom is '{zero}': this stands for no value")


# --- Headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["{} ", " {}", "\u00a0{}", "\ufeff{}", "{}\u200b"])
def test_what_nobody_sees_around_a_name_of_a_column_does_not_matter(importer: Importer, around: str) -> None:
    header = ",".join(around.format(name) for name in GOOD)
    assert importer.run(f"{header}\n{ROW}\n") == 1


@pytest.mark.parametrize(
    "name,meant", [("UserID", "userId"), ("user_id", "userId"), ("recuringPrice", "recurringPrice")]
)
def test_a_column_that_is_nearly_a_needed_field_is_asked_about(importer: Importer, name: str, meant: str) -> None:
    [problem] = importer.problems(csv_of({}).replace(meant, name))
    assert problem.startswith(f"Field {meant} has no source: name its column or give a constant (did you mean")
    assert f"--column {meant}={name!r}?" in problem


@pytest.mark.parametrize("name", ["ValidUntil", "valid_until", "VALID UNTIL"])
def test_a_column_that_is_nearly_an_optional_field_is_not_overlooked(importer: Importer, name: str) -> None:
    text = csv_of({}).replace("validUntil", name)
    [problem] = importer.problems(text)
    assert problem == (
        f"Column {name!r} is nearly the field validUntil: say --column validUntil={name!r} to take it, or "
        "--set validUntil= to leave the field empty."
    )
    assert importer.run(text, ColumnMapping(constants={"validUntil": ""})) == 1
    assert importer.rows()[0]["validUntil"] is None


def test_a_column_that_is_nearly_there_is_asked_about(importer: Importer) -> None:
    text = csv_of({}).replace("name", "Tarif")
    problems = importer.problems(text, ColumnMapping({"name": "tarif", "Name": "Tarif"}))
    assert "did you mean 'Tarif'?" in problems[1]
    assert problems[0].startswith("There is no field 'Name': did you mean 'name'?")


# --- Updates ----------------------------------------------------------------------------------------------------------


def test_a_nightly_file_changes_what_is_there_and_adds_what_is_new(importer: Importer) -> None:
    importer.run(csv_of({}, {}, {}))
    report = importer.report(csv_of({}, {"name": "Platinum"}, {}, {}), update=True)
    assert (report.added, report.changed, report.unchanged) == (1, 1, 2)
    again = importer.report(csv_of({}, {"name": "Platinum"}, {}, {}), update=True)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 4)
    assert [(row["id"], row["name"]) for row in importer.rows()] == [
        *((7, "Gold"), (8, "Platinum"), (9, "Gold"), (10, "Gold"))
    ]


def test_rows_without_ids_are_found_by_their_uuids(importer: Importer) -> None:
    importer.run(csv_of({}, {}))
    rows = csv_of({"state": "paused"}, {}, {}, without=("id",))
    report = importer.report(rows, update=True)
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    assert [(row["id"], row["uuid"], row["state"]) for row in importer.rows()] == [
        *((7, "u-7", "paused"), (8, "u-8", "active"), (9, "u-9", "active"))
    ]


def test_an_update_keeps_its_promises_to_exports_and_members(importer: Importer) -> None:
    importer.run(csv_of({}, {"id": "100"}))
    rows = csv_of({"userId": "user-2"}, {"id": "99", "uuid": "u-99"}, {"id": "", "uuid": ""})
    assert importer.problems(rows, update=True) == [
        HANDED_OVER,
        "line 3: id is 99: new rows of this user need ids above 100, or none.",
        "line 4: the row has neither id nor uuid, and an update finds memberships by them.",
    ]


def test_an_update_of_a_file_without_ids_and_uuids_is_refused(importer: Importer) -> None:
    [problem] = importer.problems(csv_of({}, without=("id", "uuid")), update=True)
    assert problem.startswith("An update finds memberships by id, or by uuid")


def test_columns_that_a_file_does_not_have_keep_their_values(importer: Importer) -> None:
    importer.run(csv_of({}))
    rows = csv_of({"name": "Platinum"}, without=("uuid", "validUntil", "assignedBy"))
    assert importer.report(rows, update=True).changed == 1
    assert importer.rows() == [{**GOOD, "id": 7, "billingPeriods": 12, "name": "Platinum"}]


# --- Large files ------------------------------------------------------------------------------------------------------


def test_problems_are_counted_beyond_those_that_are_kept(importer: Importer) -> None:
    count = MOST_KEPT + 500
    importer.path.write_text(csv_of(*[{"recurringPrice": "much"}] * count))
    with pytest.raises(ImportRefused) as refused:
        import_csv(ImportOrder(importer.path), importer.repository)
    assert (len(refused.value.problems), refused.value.more) == (MOST_KEPT, 500)


def test_a_large_file_is_never_in_memory_as_a_whole(importer: Importer) -> None:
    with importer.path.open("w", encoding="utf-8") as file:
        file.write(",".join(GOOD) + "\n")
        for number in range(1, 30_001):
            row = GOOD | {"id": f"{number}", "uuid": f"u-{number}", "userId": f"user-{number}"}
            file.write(",".join(row.values()) + "\n")
    tracemalloc.start()
    try:
        assert import_csv(ImportOrder(importer.path), importer.repository).added == 30_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000  # its rows are more than 20 MB; the sample it is judged by takes most of this


def test_who_watches_is_told_how_far_it_is(importer: Importer) -> None:
    class Told(Watcher):
        def __init__(self) -> None:
            self.steps: list[object] = []

        def reading(self, read: int, size: int | None) -> None:
            self.steps.append((read, size))

        def adding(self, added: int) -> None:
            self.steps.append(added)

        def committing(self) -> None:
            self.steps.append("committing")

    told = Told()
    importer.path.write_text(csv_of({}, {}))
    import_csv(ImportOrder(importer.path), importer.repository, told)
    size = importer.path.stat().st_size
    assert told.steps == [(size, size), (size, size), 2, "committing"]


def test_an_interrupted_import_leaves_nothing(importer: Importer) -> None:
    class Interrupting(Watcher):
        def adding(self, added: int) -> None:
            assert added == 2
            raise KeyboardInterrupt

    importer.path.write_text(csv_of({}, {}))
    with pytest.raises(KeyboardInterrupt):
        import_csv(ImportOrder(importer.path), importer.repository, Interrupting())
    assert importer.all_rows() == []
    assert importer.repository.add(sample_memberships(1, "user-1")) == 1
