"""What stands around the rows of a sheet, in the order of the schema."""

from collections.abc import Sequence

_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def head(widths: Sequence[float], *, first: bool, frozen: bool) -> str:
    """Return what comes before the rows. `frozen`: the first row stays where it is while others are scrolled."""
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>' for place, width in enumerate(widths, 1)
    )
    pane = (
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>'
        if frozen
        else ""
    )
    selected = ' tabSelected="1"' if first else ""
    return (
        f'<worksheet {_NAMESPACE}><sheetViews><sheetView{selected} workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def tail(filtered: str = "") -> str:
    """Return what comes after the rows. `filtered`: the cells with buttons to filter by, such as A1:C9."""
    buttons = f'<autoFilter ref="{filtered}"/>' if filtered else ""
    return f"</sheetData>{buttons}</worksheet>"


def column_letters(place: int) -> str:
    """Return the name of a column, counted from 1: A for 1, AA for 27."""
    letters = ""
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
