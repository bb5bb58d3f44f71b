"""The real command and service: what is chosen about a file is what arrives by mail."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from tests.e2e.command_line import Running, attachments_of, data_of, environ_of, mails_of, run, running

PRICES = ["29.90", "1200.5", "-5", "0.1", "123456.78"]
HEADER = "id,userId,name,recurringPrice,validFrom,validUntil,state,billingInterval,billingPeriods\n"
ROWS = [f"{n},{{user}},=Gold & Größe {n},{price},2024-02-29,,active,month,1" for n, price in enumerate(PRICES, 1)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service")
    with running(environ_of(folder / "data"), folder) as started:
        yield started


def a_member(service: Running, tmp_path: Path, name: str, first_id: int) -> Running:
    """A member with five memberships."""
    source = tmp_path / "members.csv"
    lines = [f"{first_id + at}{row.format(user=name)[1:]}\n" for at, row in enumerate(ROWS)]
    source.write_text(HEADER + "".join(lines), encoding="utf-8")
    assert service.ask("import", str(source)) == "5 memberships imported."
    return service.as_user(name, f"{name}@example.org")


def mailed(member: Running, *options: str) -> tuple[EmailMessage, bytes]:
    export_id = member.ask("request", *options)
    member.ask("watch", export_id)
    (mail,) = mails_of(data_of(member), export_id)
    (content,) = attachments_of(mail)
    return mail, content


def test_a_workbook_in_german_comes_with_the_mail(service: Running, tmp_path: Path) -> None:
    member = a_member(service, tmp_path, "xaver", 100)
    labels = [column["label"] for column in json.loads(member.ask("options", "--language", "de", "--json"))["columns"]]

    mail, content = mailed(member, "--format", "xlsx", "--language", "de")

    (attachment,) = mail.iter_attachments()
    assert attachment.get_content_type() == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert str(attachment.get_filename()).endswith(".xlsx")
    rows_sheet, about_sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    headings, *rows = rows_sheet.iter_rows(values_only=True)
    assert list(headings) == labels
    assert "Gültig ab" in labels
    named = [dict(zip(labels, row, strict=True)) for row in rows]
    assert [Decimal(str(row[labels[4]])) for row in named] == [Decimal(price) for price in PRICES]
    assert {row["Gültig ab"] for row in named} == {datetime(2024, 2, 29)}  # noqa: DTZ001  (a workbook knows no zones)
    assert [row[labels[2]] for row in named] == [f"=Gold & Größe {n}" for n in range(1, 6)]
    assert about_sheet.max_row >= 3


def test_amounts_of_a_csv_for_german_excel_add_up(service: Running, tmp_path: Path) -> None:
    member = a_member(service, tmp_path, "sepp", 200)

    _, content = mailed(member, "--preset", "excel-de")

    headings, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    amounts = [Decimal(row[4].replace(",", ".")) for row in rows]
    assert sum(amounts) == sum(map(Decimal, PRICES))
    assert "1200,5" in [row[4] for row in rows]
    assert headings[5] == "Gültig ab"
    assert [row[2] for row in rows] == [f"'=Gold & Größe {n}" for n in range(1, 6)]


def test_json_lines_have_names_that_stay_and_exact_amounts(service: Running, tmp_path: Path) -> None:
    member = a_member(service, tmp_path, "jsonja", 300)

    mail, content = mailed(
        member, "--format", "jsonl", "--language", "de", "--columns", "recurringPrice,name,validUntil"
    )

    (attachment,) = mail.iter_attachments()
    assert str(attachment.get_filename()).endswith(".jsonl")
    rows = [json.loads(line, parse_float=Decimal) for line in content.decode().splitlines()]
    assert [list(row) for row in rows] == [["recurringPrice", "name", "validUntil"]] * 5
    assert [str(row["recurringPrice"]) for row in rows] == PRICES
    assert {row["validUntil"] for row in rows} == {None}


def test_columns_in_another_order_are_another_export(tmp_path: Path) -> None:
    with running(environ_of(tmp_path), tmp_path, "api") as api:  # without a worker all of them stay under way
        member = api.as_user("anna", "anna@example.org")
        wishes = [("--columns", "id,name"), ("--columns", "name,id"), ("--columns", "id,name"), ()]
        first, other, again, plain = (member.ask("request", *wish) for wish in wishes)
        listed = member.ask("list")

    assert first == again
    assert len({first, other, plain}) == 3
    assert "columns name,id" in listed


@pytest.mark.parametrize(
    "wrong, told",
    [
        (["--columns", "id,recuringPrice"], "recurringPrice"),
        (["--columns", "id,name,id"], "twice"),
        (["--columns", ""], "columns"),
        (["--language", "pl"], "'de'"),
        (["--time-zone", "Europe/Berlni"], "Europe/Berlin"),
        (["--time-zone", "Berlin"], "Europe/Berlin"),
        (["--delimiter", ",", "--decimal", ","], "decimal"),
        (["--format", "xlsx", "--delimiter", ";"], "delimiter"),
        (["--format", "jsonl", "--preset", "raw"], "preset"),
        (["--no-guard"], "guard"),
        (["--filter", "colour:red"], "filter"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_had_is_refused_with_what_can(service: Running, wrong: list[str], told: str) -> None:
    member = service.as_user("wrong", "wrong@example.org")

    result = member.run("request", *wrong)

    assert (result.returncode, result.stdout) == (1, "")
    assert told in result.stderr.partition("\n")[2], "in the detail"
    assert member.ask("list", "--json") == '{\n  "items": []\n}'


def test_the_options_are_shown_in_the_language_of_their_reader(service: Running) -> None:
    member = service.as_user("reader", "reader@example.org")

    english, german = member.ask("options"), member.ask("options", "--language", "de", "--zone", "berl")

    assert "recurringPrice" in english
    assert "Valid from" in english
    assert "Gültig ab" in german
    assert "Europe/Berlin" in german
    assert "Europe/Paris" not in german


DEMOS = [
    ["--format", "xlsx", "--language", "de"],
    ["--format", "xlsx", "--columns", "name,id,validFrom", "--time-zone", "America/New_York"],
    ["--format", "jsonl"],
    ["--preset", "excel-de"],
    ["--preset", "raw"],
]


@pytest.mark.parametrize("api", ["", "stripe-like"])
@pytest.mark.parametrize("options", DEMOS, ids=" ".join)
def test_the_demo_checks_a_file_of_any_kind(tmp_path: Path, api: str, options: list[str]) -> None:
    shape = ["--api", api] if api else []
    result = run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path)}, "demo", "--rows", "250", *shape, *options)

    assert result.returncode == 0, result.stderr
    assert "250, as many as there are, and each as the memberships API has it" in result.stdout
    (folder,) = tmp_path.glob("memberships-export-demo-*")
    (file,) = folder.glob("memberships-*")
    assert str(file) in result.stdout
    assert ("Gültig ab" in result.stdout) == ("de" in "".join(options))


def test_a_demo_of_a_file_that_there_is_not_leaves_nothing(tmp_path: Path) -> None:
    result = run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path)}, "demo", "--rows", "1", "--columns", "nmae")

    assert result.returncode == 2
    assert "did you mean 'name'?" in result.stderr
    assert "event=" not in result.stderr, "the log of the service does not help"
    assert list(tmp_path.glob("memberships-export-demo-*")) == []
