"""The file, opened by a program that splits it elsewhere than we did: Python's csv, and LibreOffice where it is."""

import csv
import io
import itertools
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.guard import unguard
from memberships_export.domain.formats.options import Preset
from tests.readers import csv_writer
from tests.unit.domain.csv_reading import IGNORED, TEXT_HEADERS, TRIGGERS, a_row, head, lines, read_file, runs

SEPARATORS = (",", ";", "|", "\t")
HOSTILE = st.text(st.sampled_from(TRIGGERS + IGNORED + "'''\r\n\n\nab1,;|,;|"), max_size=12)
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


def corpus(shared_data: Path) -> list[str]:
    """Return every hostile and every harmless text of the shared data, alone and behind each separator."""
    cases = json.loads((shared_data / "csv_formula_cases.json").read_text("utf-8"))
    texts = [text for found in cases.values() if isinstance(found, list) for text in found]
    texts += json.loads((shared_data / "blns.json").read_text("utf-8"))
    texts += (shared_data / "csv_injection_payloadbox.txt").read_text("utf-8").splitlines()
    for path in sorted((shared_data / "csv-spectrum" / "json").glob("*.json")):
        records = json.loads(path.read_text("utf-8"))
        texts += [
            value for record in (records if isinstance(records, list) else [records]) for value in record.values()
        ]
    return texts


def with_separators(texts: list[str]) -> list[str]:
    wrapped = [
        f"{before}{text}{after}" for text in texts for before in ("a;", "|", "\t", ",", ";,") for after in ("", ";")
    ]
    return [*texts, *wrapped]


def spreadsheet(texts: list[str], header: str) -> bytes:
    form = csv_writer(Preset.SPREADSHEET)
    return head(form) + lines(form, [a_row(**{header: text}) for text in texts])


def split_at(content: bytes, separator: str, quoting: int = csv.QUOTE_MINIMAL) -> list[str]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    rows = csv.reader(text, delimiter=separator, quoting=quoting)  # type: ignore[arg-type]  # typeshed wants a literal
    return [cell for row in rows for cell in row]


@pytest.mark.parametrize("header", TEXT_HEADERS)
def test_no_text_of_any_corpus_is_a_formula_wherever_the_file_is_split(shared_data: Path, header: str) -> None:
    texts = with_separators(corpus(shared_data))
    content = spreadsheet(texts, header)

    assert len(texts) > 6_000
    for separator in SEPARATORS:
        assert [cell for cell in split_at(content, separator) if runs(cell)] == [], separator
    restored = [
        unguard(row[header]) for row in read_file([a_row(**{header: text}) for text in texts], Preset.SPREADSHEET)
    ]
    assert restored == texts


@pytest.mark.parametrize("separator", SEPARATORS, ids=["comma", "semicolon", "bar", "tab"])
@given(cells=st.lists(HOSTILE, min_size=3, max_size=3))
@settings(max_examples=300)
def test_no_hostile_text_is_a_formula_wherever_the_file_is_split(separator: str, cells: list[str]) -> None:
    name, state, last = cells
    form = csv_writer(Preset.SPREADSHEET)
    content = lines(form, [a_row(name=name, state=state, billingInterval=last), a_row(name=last)])

    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        assert [cell for cell in split_at(content, separator, quoting) if runs(cell)] == []


# --- LibreOffice itself -----------------------------------------------------------------------------------------------


def formulas_in(sheet: Path) -> list[str]:
    """Return the formulas and links of a flat or zipped OpenDocument spreadsheet."""
    with zipfile.ZipFile(sheet) as archive:
        root = ET.fromstring(archive.read("content.xml"))  # noqa: S314  (written by LibreOffice just now)
    return [formula for cell in root.iter() if (formula := cell.get(f"{TABLE}formula"))]


def sheet_of_office(content: bytes, tokens: str, folder: Path) -> Path:
    """Import the file as German, with these separators (character codes, joined by /), and return the spreadsheet."""
    (folder / "file.csv").write_bytes(content)
    subprocess.run(
        [
            str(OFFICE),
            "--headless",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            f"--infilter=Text - txt - csv (StarCalc):{tokens},34,76,1,,1031,false,true",
            "--convert-to",
            "ods",
            "--outdir",
            str(folder),
            str(folder / "file.csv"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "file.ods"


def opened_by_office(content: bytes, tokens: str, folder: Path) -> list[str]:
    """Return what became a formula."""
    return formulas_in(sheet_of_office(content, tokens, folder))


MIXTURES = ["/".join(mix) for count in (1, 2, 4) for mix in itertools.combinations(("44", "59", "124", "9"), count)]


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: make test-office says how to get it")
@pytest.mark.parametrize("separators", MIXTURES)
def test_libreoffice_finds_no_formula_wherever_it_splits_the_file(
    shared_data: Path, tmp_path: Path, separators: str
) -> None:
    content = spreadsheet([text for text in with_separators(corpus(shared_data)) if "\0" not in text], "name")

    assert opened_by_office(content, separators, tmp_path) == []


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: make test-office says how to get it")
def test_libreoffice_would_find_the_formulas_of_a_raw_file(tmp_path: Path) -> None:
    form = csv_writer(Preset.RAW)
    content = head(form) + lines(form, [a_row(name="a;=1+1;x")])

    assert opened_by_office(content, "59", tmp_path) == ["of:=1+1"]
