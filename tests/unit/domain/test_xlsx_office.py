"""LibreOffice opens the file and saves it as its own: each cell has to come back, with its type."""

import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from memberships_export.domain.formats.options import Format, Options
from memberships_export.domain.source.profile import Column
from tests.unit.domain.xlsx_reading import TEXT, a_file, by_openpyxl, corpora

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
pytestmark = [
    pytest.mark.office,
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: make test-office says how to get it"),
]
TYPED: Sequence[tuple[Column, str, Any]] = [
    (Column(name="i", type="integer"), "123456789012345", 123456789012345),
    (Column(name="long", type="integer"), "123456789012345678", "123456789012345678"),
    (Column(name="a", type="decimal"), "29.90", 29.9),
    (Column(name="m", type="minor_units", currency="c"), "-1234567.50", -1234567.5),
    (Column(name="b", type="boolean"), "true", True),
    (Column(name="day", type="date"), "1900-03-01", datetime(1900, 3, 1)),  # noqa: DTZ001  (as Excel has it: local)
    (Column(name="last", type="date"), "9999-12-31", datetime(9999, 12, 31)),  # noqa: DTZ001
    (Column(name="old", type="date"), "1066-10-14", "1066-10-14"),
    (Column(name="t", type="datetime"), "2024-07-01T22:30:15Z", datetime(2024, 7, 2, 0, 30, 15)),  # noqa: DTZ001
    (Column(name="ms", type="datetime"), "2024-07-01T10:00:00.250Z", datetime(2024, 7, 1, 12, 0, 0, 250000)),  # noqa: DTZ001
    (Column(name="x", type="date_or_text"), "2024-07-01T10:00:00Z", datetime(2024, 7, 1, 12)),  # noqa: DTZ001
    (Column(name="zeros"), "00042", "00042"),
    (Column(name="formula"), "=1+1", "=1+1"),
    (Column(name="nan"), "NaN", "NaN"),
]


def saved_by_office(content: bytes, folder: Path) -> bytes:
    (folder / "file.xlsx").write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        [
            str(OFFICE),
            "--headless",
            profile,
            "--convert-to",
            "xlsx",
            "--outdir",
            folder / "saved",
            folder / "file.xlsx",
        ],
        check=True,
        capture_output=True,
    )
    return (folder / "saved" / "file.xlsx").read_bytes()


def test_libreoffice_keeps_every_value_of_every_corpus_and_the_type_of_each_cell(
    shared_data: Path, tmp_path: Path
) -> None:
    texts = corpora(shared_data)
    columns = [TEXT, *(column for column, _, _ in TYPED)]
    cells = [texts, *([value] * len(texts) for _, value, _ in TYPED)]
    currencies = [["CHF"] * len(texts) if column.currency else None for column in columns]
    options = Options(format=Format.XLSX, time_zone="Europe/Berlin")
    content = a_file(columns, cells, currencies=currencies, options=options)

    found = by_openpyxl(saved_by_office(content, tmp_path))[1:]

    typed = [value for _, _, value in TYPED]
    assert [row[1:] for row in found if [*map(repr, row[1:])] != [*map(repr, typed)]] == []
    assert [lines(row[0] or "") for row in found] == [lines(text.replace("\ufffe", "\ufffd")) for text in texts]


def lines(text: str) -> list[str]:
    """A cell of LibreOffice keeps lines, not how they ended."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
