import csv
import io
import json
import re
from pathlib import Path

import pytest

from memberships_export.domain.formats.guard import guard, unguard
from memberships_export.domain.formats.options import Preset
from tests.unit.domain.csv_reading import TEXT_HEADERS, TRIGGERS, a_row, could_run, read_file

SPECTRUM = (
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
)  # fmt: skip


def formula_cases(shared_data: Path) -> dict[str, list[str]]:
    cases: dict[str, list[str]] = json.loads((shared_data / "csv_formula_cases.json").read_text("utf-8"))
    return cases


def naughty_strings(shared_data: Path) -> list[str]:
    strings: list[str] = json.loads((shared_data / "blns.json").read_text("utf-8"))
    return strings


def spectrum_records(shared_data: Path, name: str) -> list[dict[str, str]]:
    text = (shared_data / "csv-spectrum" / "json" / f"{name}.json").read_text("utf-8")
    records: dict[str, str] | list[dict[str, str]] = json.loads(text)
    return records if isinstance(records, list) else [records]


def column(header: str, values: list[str], preset: Preset) -> list[str]:
    """Write the values down one column of a file and read that column back."""
    return [record[header] for record in read_file([a_row(**{header: value}) for value in values], preset)]


def test_the_triggers_are_those_of_the_corpus(shared_data: Path) -> None:
    listed = formula_cases(shared_data)["trigger_first_chars"]

    assert {chr(int(code.removeprefix("U+"), 16)) for code in listed} == set(TRIGGERS)


@pytest.mark.parametrize("header", TEXT_HEADERS)
def test_no_known_formula_survives_in_a_spreadsheet_and_each_can_be_restored(shared_data: Path, header: str) -> None:
    cases = formula_cases(shared_data)
    formulas = [*cases["own"], *cases["public_payloadbox"], *cases["public_patt"]]

    cells = column(header, formulas, Preset.SPREADSHEET)

    assert len(formulas) == 67
    assert [cell for cell in cells if could_run(cell)] == []
    assert [unguard(cell) for cell in cells] == formulas


def test_legitimate_values_are_guarded_only_if_they_begin_with_a_trigger(shared_data: Path) -> None:
    values = formula_cases(shared_data)["legitimate_values_users_type"]

    assert len(values) == 16
    assert [value for value in values if guard(value) != value] == [v for v in values if v[:1] in set(TRIGGERS)]


@pytest.mark.parametrize("header", TEXT_HEADERS)
def test_naughty_strings_are_exact_in_raw_and_restorable_from_a_spreadsheet(shared_data: Path, header: str) -> None:
    strings = naughty_strings(shared_data)

    cells = column(header, strings, Preset.SPREADSHEET)

    assert len(strings) == 515
    assert column(header, strings, Preset.RAW) == strings
    assert [cell for cell in cells if could_run(cell)] == []
    assert [unguard(cell) for cell in cells] == strings


@pytest.mark.parametrize("name", SPECTRUM)
def test_the_reader_of_these_tests_reads_the_reference_files_right(shared_data: Path, name: str) -> None:
    text = (shared_data / "csv-spectrum" / "csvs" / f"{name}.csv").read_bytes().decode()
    if name.endswith("_crlf"):  # some copies of these files came through a tool that rewrote their line ends
        text = re.sub(r"\r?\n", "\r\n", text)
    expected = spectrum_records(shared_data, name)
    if name == "location_coordinates":  # the one file whose JSON has another phone number than its CSV
        expected = [record | {"Contact Phone Number": "2095257564"} for record in expected]

    assert list(csv.DictReader(io.StringIO(text, newline=""))) == expected


@pytest.mark.parametrize("name", SPECTRUM)
def test_the_values_of_the_reference_files_come_back_from_raw(shared_data: Path, name: str) -> None:
    values = [value for record in spectrum_records(shared_data, name) for value in record.values()]

    assert values
    assert column("name", values, Preset.RAW) == values
