"""Reads the rows of an XLSX file with what Python brings along, as a program of somebody else would."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, iterparse
from zipfile import ZipFile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  (a workbook knows no zones)


def sheet_rows(path: Path) -> Iterator[Sequence[str]]:
    """Read all sheets with rows, one after the other, the headings once; the last sheet tells about the file.

    Numbers are texts as they are stored, dates and times are written by ISO 8601.
    """
    with ZipFile(path) as book:
        days = _styles_of_days(book)
        for number, part in enumerate(_parts(book)[:-1]):
            with book.open(part) as sheet:
                rows = _rows(sheet, days)
                headings = next(rows)
                if number == 0:
                    yield headings
                yield from ([*row, *[""] * (len(headings) - len(row))] for row in rows)


def _parts(book: ZipFile) -> Sequence[str]:
    """Return where the sheets are, in the order in which they are shown."""
    relations = {one.get("Id"): one.get("Target", "") for one in _elements(book, "xl/_rels/workbook.xml.rels")}
    sheets = [one for one in _elements(book, "xl/workbook.xml") if one.tag == f"{_MAIN}sheet"]
    targets = [relations[one.get(_RELATION)] for one in sheets]
    return [target.removeprefix("/") if target.startswith("/") else f"xl/{target}" for target in targets]


def _styles_of_days(book: ZipFile) -> Sequence[bool]:
    """Tell of each style of cells whether it shows a number as a day."""
    elements = list(_elements(book, "xl/styles.xml"))
    codes = {one.get("numFmtId"): one.get("formatCode", "") for one in elements if one.tag == f"{_MAIN}numFmt"}
    (styles,) = [one for one in elements if one.tag == f"{_MAIN}cellXfs"]
    return ["yy" in codes.get(one.get("numFmtId"), "").lower() or one.get("numFmtId") in {"14", "22"} for one in styles]


def _elements(book: ZipFile, part: str) -> Iterator[Element]:
    with book.open(part) as file:
        yield from (element for _, element in iterparse(file))  # noqa: S314  (our own file)


def _rows(sheet: IO[bytes], days: Sequence[bool]) -> Iterator[Sequence[str]]:
    parent: list[Element] = []
    for event, element in iterparse(sheet, events=("start", "end")):  # noqa: S314
        if event == "start" and element.tag == f"{_MAIN}sheetData":
            parent.append(element)
        if event == "end" and element.tag == f"{_MAIN}row":
            yield _cells(element, days)
            parent[0].clear()  # or all rows would stay in memory


def _cells(row: Element, days: Sequence[bool]) -> list[str]:
    """Return the cells up to the last that is there; others may be left out, and then each names its place."""
    texts: list[str] = []
    for cell in row:
        texts += [""] * (_place(cell.get("r", "")) - len(texts))
        texts.append(_text(cell, days))
    return texts


def _place(reference: str) -> int:
    """Return 0 for A7, 25 for Z7, 26 for AA7."""
    place = 0
    for letter in filter(str.isalpha, reference):
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _text(cell: Element, days: Sequence[bool]) -> str:
    if cell.get("t") == "inlineStr":
        stored = "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), stored)
    value = cell.findtext(f"{_MAIN}v") or ""
    if value and cell.get("t", "n") == "n" and days[int(cell.get("s", "0"))]:
        return _day(float(value))
    return value


def _day(serial: float) -> str:
    time = _DAY_ZERO + timedelta(seconds=round(serial * 86_400))
    return time.date().isoformat() if serial.is_integer() else time.isoformat(" ")
