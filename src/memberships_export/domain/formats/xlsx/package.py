"""The parts of the file beside its sheets. Nothing in them tells who made it, or when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memberships_export.domain.formats.xlsx.cells import attribute

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORMATS = "http://schemas.openxmlformats.org"
_MAIN = f"{_FORMATS}/spreadsheetml/2006/main"
_OFFICE = f"{_FORMATS}/officeDocument/2006"
_PACKAGE = f"{_FORMATS}/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML_TYPE = "application/vnd.openxmlformats"
_ANY_TIME = "2000-01-01T00:00:00Z"  # the same in all files, so that equal rows are equal bytes


@dataclass(frozen=True, slots=True)
class SheetName:
    """A sheet that was written; `filtered` as in $A$1:$C$9, or nothing."""

    title: str
    filtered: str = ""


def sheet_path(number: int) -> str:
    """Return where in the file a sheet is, counted from 1."""
    return f"xl/worksheets/sheet{number}.xml"


def parts(sheets: Sequence[SheetName], styles: str) -> Iterator[tuple[str, str]]:
    """Return names and contents of all parts but the sheets."""
    yield "xl/workbook.xml", _HEAD + _workbook(sheets)
    yield "xl/styles.xml", _HEAD + styles
    yield "xl/_rels/workbook.xml.rels", _HEAD + _relations(_of_workbook(len(sheets)))
    yield "docProps/app.xml", _HEAD + _application()
    yield "docProps/core.xml", _HEAD + _core()
    yield "_rels/.rels", _HEAD + _relations(_of_file())
    yield "[Content_Types].xml", _HEAD + _types(len(sheets))


def _workbook(sheets: Sequence[SheetName]) -> str:
    listed = "".join(
        f'<sheet name="{attribute(sheet.title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, 1)
    )
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets><definedNames>{''.join(_filters(sheets))}</definedNames></workbook>"
    )


def _filters(sheets: Sequence[SheetName]) -> Iterator[str]:
    for place, sheet in enumerate(sheets):
        if sheet.filtered:
            range_of_sheet = "'" + sheet.title.replace("'", "''") + f"'!{sheet.filtered}"
            yield (
                f'<definedName name="_xlnm._FilterDatabase" localSheetId="{place}" hidden="1">'
                f"{attribute(range_of_sheet)}</definedName>"
            )


def _of_workbook(sheets: int) -> Iterator[tuple[str, str]]:
    for number in range(1, sheets + 1):
        yield f"{_OFFICE}/relationships/worksheet", f"worksheets/sheet{number}.xml"
    yield f"{_OFFICE}/relationships/styles", "styles.xml"


def _of_file() -> Iterator[tuple[str, str]]:
    yield f"{_OFFICE}/relationships/officeDocument", "xl/workbook.xml"
    yield f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"
    yield f"{_OFFICE}/relationships/extended-properties", "docProps/app.xml"


def _relations(relations: Iterator[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(relations, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _application() -> str:
    return (
        f'<Properties xmlns="{_OFFICE}/extended-properties"><Application>Memberships Export</Application></Properties>'
    )


def _core() -> str:
    times = "".join(
        f'<dcterms:{what} xsi:type="dcterms:W3CDTF">{_ANY_TIME}</dcterms:{what}>' for what in ("created", "modified")
    )
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{times}</cp:coreProperties>'
    )


def _types(sheets: int) -> str:
    kinds = {
        "xl/workbook.xml": f"{_SHEET_TYPE}.sheet.main+xml",
        **{sheet_path(number): f"{_SHEET_TYPE}.worksheet+xml" for number in range(1, sheets + 1)},
        "xl/styles.xml": f"{_SHEET_TYPE}.styles+xml",
        "docProps/core.xml": f"{_XML_TYPE}-package.core-properties+xml",
        "docProps/app.xml": f"{_XML_TYPE}-officedocument.extended-properties+xml",
    }
    listed = "".join(f'<Override PartName="/{path}" ContentType="{kind}"/>' for path, kind in kinds.items())
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="{_XML_TYPE}-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f"{listed}</Types>"
    )
