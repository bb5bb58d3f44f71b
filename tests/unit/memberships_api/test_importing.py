from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_api.csv_files.dialect import Choices
from memberships_api.csv_files.mapping import ColumnMapping
from memberships_api.csv_files.problems import ImportRefused
from memberships_api.importing import ImportOrder, ImportReport, import_csv
from memberships_api.repository import PageRequest
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository

GOOD = {
    "id": "7",
    "uuid": "u-7",
    "name": "Gold",
    "userId": "user-1",
    "recurringPrice": "120.50",
    "validFrom": "2024-02-29",
    "validUntil": "2025-01-31",
    "state": "active",
    "assignedBy": "desk",
    "paymentMethod": "sepa",
    "billingInterval": "month",
    "billingPeriods": "12",
}
HEADER = ",".join(GOOD)
PLAIN = ColumnMapping()


class Importer:
    def __init__(self, path: Path, repository: SqliteMembershipRepository) -> None:
        self.path = path
        self.repository = repository

    def run(self, content: str | bytes, mapping: ColumnMapping = PLAIN, *, update: bool = False, **said: str) -> int:
        report = self.report(content, mapping, update=update, **said)
        return report.added + report.changed

    def report(
        self, content: str | bytes, mapping: ColumnMapping = PLAIN, *, update: bool = False, **said: str
    ) -> ImportReport:
        self.path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_csv(ImportOrder(self.path, mapping, Choices(**said), update=update), self.repository)

    def problems(
        self, content: str | bytes, mapping: ColumnMapping = PLAIN, *, update: bool = False, **said: str
    ) -> list[str]:
        before = self.all_rows()
        with pytest.raises(ImportRefused) as refused:
            self.report(content, mapping, update=update, **said)
        assert self.all_rows() == before
        return [str(problem) for problem in refused.value.problems]

    def all_rows(self) -> list[dict[str, Any]]:
        return [row for user in ("user-1", "user-2") for row in self.rows(user)]

    def rows(self, user_id: str = "user-1") -> list[dict[str, Any]]:
        page = self.repository.page(PageRequest(user_id, limit=10_000))
        rows: list[dict[str, Any]] = msgspec.json.decode(b"[%b]" % page.items)
        return rows


@pytest.fixture
def importer(tmp_path: Path, repository: SqliteMembershipRepository) -> Importer:
    return Importer(tmp_path / "memberships.csv", repository)


def csv_of(*changes: dict[str, str], without: tuple[str, ...] = ()) -> str:
    names = [name for name in GOOD if name not in without]
    lines = [",".join(names)]
    lines += [
        ",".join({**GOOD, "id": str(7 + number), "uuid": f"u-{7 + number}", **row}[name] for name in names)
        for number, row in enumerate(changes)
    ]
    return "\r\n".join(lines) + "\r\n"


def test_a_file_whose_columns_have_the_names_of_the_fields_needs_no_mapping(importer: Importer) -> None:
    assert importer.run(csv_of({})) == 1
    assert importer.rows() == [{**GOOD, "id": 7, "billingPeriods": 12}]


def test_columns_and_constants_can_be_mapped_and_other_columns_are_ignored(importer: Importer) -> None:
    mapping = ColumnMapping(
        columns={"name": "Tarif", "recurringPrice": "Preis", "validFrom": "Beginn"},
        constants={"userId": "user-1", "state": "active", "billingInterval": "month", "billingPeriods": "1"},
    )
    importer.run("Notiz,Tarif,Preis,Beginn,state\nx,Größe L,0.10,2024-01-01,ignored\n", mapping)
    [row] = importer.rows()
    assert (row["name"], row["recurringPrice"], row["validFrom"], row["state"]) == (
        "Größe L",
        "0.10",
        "2024-01-01",
        "active",
    )
    assert (row["validUntil"], row["assignedBy"], row["paymentMethod"]) == (None, None, None)


def test_empty_cells_of_nullable_fields_become_null(importer: Importer) -> None:
    importer.run(csv_of({"validUntil": "", "assignedBy": "", "paymentMethod": ""}))
    [row] = importer.rows()
    assert (row["validUntil"], row["assignedBy"], row["paymentMethod"]) == (None, None, None)


def test_a_byte_order_mark_is_no_part_of_the_first_column(importer: Importer) -> None:
    assert importer.run(b"\xef\xbb\xbf" + csv_of({}).encode()) == 1


@pytest.mark.parametrize("price", ["120", "120.50", "0", "-5.00", "0.0000001", "12345678901234567890.123456789"])
def test_a_price_keeps_its_digits(importer: Importer, price: str) -> None:
    importer.run(csv_of({"recurringPrice": price}))
    assert importer.rows()[0]["recurringPrice"] == price


def test_missing_ids_are_assigned_in_file_order_after_the_highest(importer: Importer) -> None:
    importer.repository.add(sample_memberships(1, "user-2", first_id=40))
    importer.run(csv_of({"id": "", "name": "a"}, {"id": "50", "name": "b"}, {"id": "", "name": "c"}))
    assert [(row["id"], row["name"]) for row in importer.rows()] == [(50, "b"), (51, "a"), (52, "c")]
    importer.run(csv_of({"name": "d"}, without=("id", "uuid")))
    assert importer.rows()[-1]["id"] == 53


def test_a_missing_uuid_is_derived_from_user_and_id(importer: Importer) -> None:
    importer.run(csv_of({"uuid": ""}, {"uuid": ""}, {"uuid": "", "userId": "user-2"}))
    uuids = [row["uuid"] for row in importer.rows() + importer.rows("user-2")]
    assert uuids == [
        "1e46e684-099e-5204-a9a9-82d9c3d82abf",
        "737080a0-52a8-5c1e-801d-f6ed2ed59f19",
        "9ed662ba-4c05-5b7e-adaa-ff25e26d8a3b",
    ]
    assert {UUID(text).version for text in uuids} == {5}


@pytest.mark.parametrize(
    "field,value,reason",
    [
        ("recurringPrice", "1e3", "write a plain decimal"),
        ("recurringPrice", "NaN", "write a plain decimal"),
        ("recurringPrice", "Infinity", "write a plain decimal"),
        ("recurringPrice", " 5", "write a plain decimal"),
        ("recurringPrice", "+5", "write a plain decimal"),
        ("recurringPrice", "05.00", "write a plain decimal"),
        ("recurringPrice", ".5", "write a plain decimal"),
        ("recurringPrice", "5.", "write a plain decimal"),
        ("recurringPrice", "1_000", "write a plain decimal"),
        ("recurringPrice", "٣", "write a plain decimal"),
        ("recurringPrice", "", "write a plain decimal"),
        ("recurringPrice", "5 €", "write a plain decimal"),
        ("validFrom", "", "write the date as YYYY-MM-DD"),
        ("validFrom", "20240101", "write the date as YYYY-MM-DD"),
        ("validFrom", "2024-W01-1", "write the date as YYYY-MM-DD"),
        ("validFrom", "01.02.2024", "write the date as YYYY-MM-DD"),
        ("validFrom", "2024-01-01T00:00:00", "write the date as YYYY-MM-DD"),
        ("validFrom", "2024-01-01\n", "write the date as YYYY-MM-DD"),
        ("validFrom", "2023-02-29", "no such day"),
        ("validFrom", "0000-01-01", "no such day"),
        ("validUntil", "2024-13-01", "no such day"),
        ("validUntil", "2024-02-28", "must not be before validFrom, '2024-02-29'"),
        ("billingPeriods", "-1", "write a whole number"),
        ("billingPeriods", "1.0", "write a whole number"),
        ("billingPeriods", "", "write a whole number"),
        ("billingPeriods", "9" * 5000, "write a whole number"),
        ("id", "0", "ids start at 1"),
        ("id", "-3", "write a whole number"),
        ("id", "x", "write a whole number"),
        ("id", "9223372036854775808", "write a whole number"),
        ("name", "", "must not be empty"),
        ("userId", "", "must not be empty"),
        ("state", "", "must not be empty"),
        ("billingInterval", "", "must not be empty"),
        ("name", "a\0b", "remove the NUL"),
        ("uuid", "\0", "remove the NUL"),
        ("assignedBy", "\0", "remove the NUL"),
        ("paymentMethod", "\0", "remove the NUL"),
    ],
)
def test_a_value_that_breaks_the_rule_of_its_field_is_refused(
    importer: Importer, field: str, value: str, reason: str
) -> None:
    quoted = f'"{value}"' if "\n" in value else value
    [problem] = importer.problems(csv_of({}, {field: quoted}))
    assert problem.startswith(f"line 3: {field} is {value[:60]!r}"[:50])
    assert reason in problem
    assert len(problem) < 250


def test_every_refused_row_is_listed_with_the_line_it_starts_on(importer: Importer) -> None:
    rows = (
        "id,uuid,name,userId,recurringPrice,validFrom,validUntil,"
        "state,assignedBy,paymentMethod,billingInterval,billingPeriods\r\n"
        "1,,Good,user-1,1,2024-01-01,,active,,,month,1\r\n"
        '2,,"Two\r\nlines",user-1,1e1,2024-01-01,,active,,,month,1\r\n'
        "\r\n"
        "3,,Bad,user-1,1,yesterday,,active,,,month,-1\r\n"
        "4,,Short,user-1\r\n"
        "1,,Twice,user-1,1,2024-01-01,,active,,,month,1\r\n"
    )
    assert importer.problems(rows) == [
        "line 2: id is 1: 2 rows of this file have it.",
        "line 3: recurringPrice is '1e1': write a plain decimal like 1200.50: digits and a point, a minus if negative.",
        "line 6: validFrom is 'yesterday': write the date as YYYY-MM-DD.",
        "line 6: billingPeriods is '-1': write a whole number of 0 or more, with at most 18 digits.",
        "line 7: the row has 4 cells, the header 12: put quotes around commas in cells.",
        "line 8: id is 1: 2 rows of this file have it.",
    ]


def test_an_id_that_is_in_the_database_is_refused(importer: Importer) -> None:
    importer.repository.add(sample_memberships(1, "user-2", first_id=8))
    assert importer.problems(csv_of({}, {})) == [
        "line 3: id is 8: it is in the database already. To change that membership, say --update."
    ]


def test_an_id_that_would_appear_between_pages_being_read_is_refused(importer: Importer) -> None:
    importer.run(csv_of({"id": "100"}))
    assert importer.problems(csv_of({"id": "99"})) == [
        "line 2: id is 99: new rows of this user need ids above 100, or none."
    ]
    assert importer.run(csv_of({"id": "99", "uuid": "u-99", "userId": "user-2"})) == 1


def test_quotes_commas_and_line_breaks_in_cells_are_kept(importer: Importer) -> None:
    importer.run(csv_of({"name": '"a ""b"", c\r\nd\ne \'f\' =SUM(A1) 🧘"'}))
    assert importer.rows()[0]["name"] == "a \"b\", c\r\nd\ne 'f' =SUM(A1) 🧘"


@pytest.mark.parametrize(
    "content,problem",
    [
        ("", "The file is empty: its first line must name the columns."),
        (b"\xef\xbb\xbf", "The file is empty: its first line must name the columns."),
        (HEADER, "The file has a header but no rows: there is nothing to import."),
        (HEADER + ",name,x\n", "Column 'name' is in the header more than once: rename or remove one."),
    ],
)
def test_a_file_without_a_usable_header_or_rows_is_refused(
    importer: Importer, content: str | bytes, problem: str
) -> None:
    assert importer.problems(content) == [problem]


def test_a_quote_that_is_never_closed_is_refused_with_the_line_of_the_row(importer: Importer) -> None:
    [problem] = importer.problems(csv_of({}, {"name": '"never closed'}))
    assert problem.startswith("line 3: this is not CSV")


def test_a_file_that_is_not_there_is_refused_with_its_path(
    tmp_path: Path, repository: SqliteMembershipRepository
) -> None:
    with pytest.raises(ImportRefused, match=r"absent\.csv cannot be read: No such file or directory"):
        import_csv(ImportOrder(tmp_path / "absent.csv"), repository)


def test_everything_wrong_with_a_mapping_is_said_at_once(importer: Importer) -> None:
    mapping = ColumnMapping(
        columns={"price": "Preis", "name": "Tarif", "state": "Tarif"},
        constants={"state": "active", "billingPeriods": "many", "colour": "red"},
    )
    problems = importer.problems("userId,validFrom,billingInterval\na,2024-01-01,month\n", mapping)
    assert [problem.split(":")[0] for problem in problems] == [
        "There is no field 'price'",
        "There is no field 'colour'",
        "Field state has both a column and a constant",
        "There is no column 'Preis' for field price",
        "There is no column 'Tarif' for field name",
        "There is no column 'Tarif' for field state",
        "Field recurringPrice has no source",
        "The constant for billingPeriods is 'many'",
    ]
    assert "the file has userId, validFrom, billingInterval" in problems[-2]


@pytest.mark.parametrize(
    "field", ["name", "userId", "recurringPrice", "validFrom", "state", "billingInterval", "billingPeriods"]
)
def test_a_required_field_without_column_and_constant_is_named(importer: Importer, field: str) -> None:
    [problem] = importer.problems(csv_of({}, without=(field,)))
    assert problem.startswith(f"Field {field} has no source: name its column or give a constant")


@pytest.mark.parametrize("field", ["id", "uuid", "validUntil", "assignedBy", "paymentMethod"])
def test_an_optional_field_may_have_no_column(importer: Importer, field: str) -> None:
    assert importer.run(csv_of({}, without=(field,))) == 1


def test_a_constant_that_cannot_be_stored_is_refused(importer: Importer) -> None:
    broken = ColumnMapping(constants={"state": "\udcff"})
    assert importer.problems(csv_of({}), broken) == [
        r"The constant for state is '\udcff': remove the NUL or broken character."
    ]


def test_real_memberships_of_a_climbing_gym_are_served_as_they_are_in_the_file(
    shared_data: Path, repository: SqliteMembershipRepository
) -> None:
    source = shared_data / "climbing_gym" / "memberships.csv"
    mapping = ColumnMapping(
        columns={
            "id": "membership_id",
            "name": "membership_type",
            "recurringPrice": "price_per_month",
            "validFrom": "start_date",
            "validUntil": "end_date",
            "state": "status",
        },
        constants={"userId": "gym-owner", "billingInterval": "month", "billingPeriods": "1", "paymentMethod": "sepa"},
    )
    assert import_csv(ImportOrder(source, mapping), repository).added == 800
    expected = [line.split(",") for line in source.read_text(encoding="utf-8").splitlines()[1:]]
    served = served_rows(repository, "gym-owner")
    names = ("id", "name", "recurringPrice", "validFrom", "validUntil", "state")
    assert [[row[name] for name in names] for row in served] == [
        [int(number), name, price, start, end or None, state] for number, _, name, price, start, end, state in expected
    ]
    rest = {(row["userId"], row["billingInterval"], row["billingPeriods"], row["paymentMethod"]) for row in served}
    assert rest == {("gym-owner", "month", 1, "sepa")}
    assert {row["assignedBy"] for row in served} == {None}
    assert len({row["uuid"] for row in served}) == 800


def served_rows(repository: SqliteMembershipRepository, user_id: str) -> list[dict[str, Any]]:
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: user_id))
    rows: list[dict[str, Any]] = []
    with TestClient(app) as client:
        query: dict[str, str | int] = {"limit": 150}
        while True:
            page = client.get("/memberships", params=query).json()
            rows += page["items"]
            assert page["total"] == 800
            if page["nextCursor"] is None:
                return rows
            query["cursor"] = page["nextCursor"]
